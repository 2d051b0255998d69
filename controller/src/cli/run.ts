import { plain, printable } from '@switchback-ml/schemas';
import { Command, CommanderError } from 'commander';
import { productVersion } from '../command/index.ts';
import { messageOf, SwitchbackError } from '../error.ts';
import type { AddVerbs } from './add-verbs.ts';
import { EXIT, type ExitCode, type Terminal } from './terminal.ts';
import { usageText } from './usage.ts';
import { addAcceptRewrite } from './verbs/accept-rewrite.ts';
import { addChangeVerbs } from './verbs/change.ts';
import { addDoctor } from './verbs/doctor.ts';
import { addGateway } from './verbs/gateway.ts';
import { addGet } from './verbs/get.ts';
import { addHistory } from './verbs/history.ts';
import { addLogs } from './verbs/logs.ts';
import { addReadVerbs } from './verbs/read.ts';
import { addRegister } from './verbs/register.ts';
import { addSteerVerbs } from './verbs/steer.ts';
import { addUp } from './verbs/up.ts';
import { addWhyNot } from './verbs/why-not.ts';

const VERBS: readonly AddVerbs[] = [
  addUp,
  addGateway,
  addReadVerbs,
  addHistory,
  addWhyNot,
  addGet,
  addLogs,
  addDoctor,
  addRegister,
  addChangeVerbs,
  addSteerVerbs,
  addAcceptRewrite,
];

/** Runs one command; what went wrong is said on the terminal, never thrown. */
export async function runCommandLine(argv: readonly string[], given: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const terminal = safe(given);
  const program = commandLine(terminal, code => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return explainUsage(error, program, argv, terminal);
    return explain(error, terminal);
  }
}

/** Every verb with its options. */
export function commandLine(terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = new Command('switchback')
    .description('Models ship by pull request. Rollback is a git revert.')
    .version(productVersion(), '-V, --version', 'which version this is')
    // `register --version 1.1.0` is about the model.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err, outputError: () => {} })
    .showSuggestionAfterError()
    .addHelpText('after', '\nExit codes: 0 well, 1 a difference or a failed verdict, 2 an error.');
  for (const add of VERBS) add(program, terminal, finish);
  return program;
}

/** Whatever a printer forgot: no foreign text reaches the terminal as anything but text. */
function safe(terminal: Terminal): Terminal {
  return {
    ...terminal,
    out: text => terminal.out(printable(text)),
    err: text => terminal.err(printable(text)),
  };
}

function explainUsage(
  error: CommanderError,
  program: Command,
  [verb]: readonly string[],
  { err }: Terminal,
): ExitCode {
  // Asking for help is no error; called without a verb, it is shown and is one.
  if (error.exitCode === 0) return EXIT.ok;
  if (error.code !== 'commander.help')
    err(`switchback: ${plain(usageText(error, program, verb))} [E_USAGE]\n`);
  return EXIT.error;
}

function explain(error: unknown, { err, signal }: Terminal): ExitCode {
  if (signal.aborted) err('switchback: stopped before it was done.\n');
  else if (error instanceof SwitchbackError) err(`switchback: ${plain(error.message)} [${error.code}]\n`);
  else err(`switchback: ${plain(messageOf(error))} This is a fault of switchback itself. [E_INTERNAL]\n`);
  return EXIT.error;
}
