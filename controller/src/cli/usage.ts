import type { Command, CommanderError } from 'commander';

const LONGEST_WORD = 200;

/** What was wrong with a call and what to write instead, in one line. */
export function usageText({ code, message }: CommanderError, program: Command, verbName?: string): string {
  const verb = program.commands.find(command => command.name() === verbName);
  if (verb && code === 'commander.excessArguments') return tooManyText(verb);
  const said = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}`.replace(/[^.?)]$/, '$&.');
  return `${sentence} ${helpText(verb)}`;
}

/** What most people mean by a word too many is the folder of the model repository. */
function tooManyText(verb: Command): string {
  const taken = verb.registeredArguments.length;
  const words = verb.args.map(word => word.slice(0, LONGEST_WORD));
  const [first = '', ...others] = words.slice(taken);
  const said = `"${first}" is more than ${verb.name()} takes.`;
  const isAboutRepository = verb.options.some(({ long }) => long === '--repo');
  if (!isAboutRepository || others.length > 0) return `${said} ${helpText(verb)}`;
  const right = ['switchback', verb.name(), ...words.slice(0, taken), '--repo', first].join(' ');
  return `${said} A model repository is named by --repo: ${right}`;
}

function helpText(verb: Command | undefined): string {
  return `See: switchback help${verb ? ` ${verb.name()}` : ''}`;
}
