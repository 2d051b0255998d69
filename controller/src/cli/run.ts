import { Command, CommanderError } from 'commander';
import { messageOf, SwitchbackError } from '../error.ts';
import { EXIT, type ExitCode, type Terminal } from './terminal.ts';
import { addChangeVerbs } from './verbs/change.ts';
import { addReadVerbs } from './verbs/read.ts';
import { addRegister } from './verbs/register.ts';
import { addSteerVerbs } from './verbs/steer.ts';
import { addUp } from './verbs/up.ts';

const VERBS = [addUp, addReadVerbs, addRegister, addChangeVerbs, addSteerVerbs];

/** Runs one command; what went wrong is said on the terminal, never thrown. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = new Command('switchback')
    .description('Models ship by pull request. Rollback is a git revert.')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showSuggestionAfterError()
    .addHelpText('after', '\nExit codes: 0 well, 1 a difference or a failed verdict, 2 an error.');
  for (const add of VERBS) {
    add(program, terminal, code => {
      exitCode = code;
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return explain(error, terminal);
  }
}

function explain(error: unknown, { err, signal }: Terminal): ExitCode {
  // Commander has said it already; asking for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.error;
  if (signal.aborted) err('switchback: stopped before it was done.\n');
  else if (error instanceof SwitchbackError) err(`switchback: ${error.message} [${error.code}]\n`);
  else err(`switchback: ${messageOf(error)} This is a fault of switchback itself. [E_INTERNAL]\n`);
  return EXIT.error;
}
