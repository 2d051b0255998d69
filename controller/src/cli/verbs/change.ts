import type { Command } from 'commander';
import {
  freeze,
  hold,
  lift,
  type Outcome,
  parseDeployedVersion,
  parseDeployment,
  parseEnvironment,
  parseModel,
  parseVersion,
  promote,
  rollback,
  unfreeze,
} from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { type GitFlags, gitOptions, withGit, withOutput, withReason } from '../options.ts';
import { outcomeText } from '../print/outcome.ts';
import { slowly } from '../slowly.ts';
import type { Terminal } from '../terminal.ts';

interface Flags extends GitFlags {
  output: 'text' | 'json';
  reason?: string;
}

/** Verbs that change git. */
export const addChangeVerbs: AddVerbs = (program, terminal) => {
  addPromote(program, terminal);
  addRollback(program, terminal);
  addHolds(program, terminal);
  addFreezes(program, terminal);
};

function addPromote(program: Command, terminal: Terminal): void {
  changing(program, 'promote <version> <environment>')
    .description('Make a version such as screening@1.1.0 the release of an environment')
    .action((version: string, environment: string, flags: Flags) =>
      show(terminal, flags, 'committing the release', () => {
        const request = {
          ...parseVersion(version),
          environment: parseEnvironment(environment),
          reason: flags.reason,
        };
        return promote(request, gitOptions(flags, terminal));
      }),
    );
}

function addRollback(program: Command, terminal: Terminal): void {
  changing(program, 'rollback <deployment>')
    .description('Back to the last good version; traffic first when a controller runs')
    .action((deployment: string, flags: Flags) =>
      show(terminal, flags, 'rolling back', () =>
        rollback({ ...parseDeployment(deployment), reason: flags.reason }, gitOptions(flags, terminal)),
      ),
    );
}

function addHolds(program: Command, terminal: Terminal): void {
  withOutput(withGit(program.command('hold <version>')))
    .description('Keep a version such as prod/screening@1.2.0 out of an environment')
    .requiredOption('--reason <text>', 'why; goes into git')
    .action((version: string, flags: Flags & { reason: string }) =>
      show(terminal, flags, 'committing the hold', () =>
        hold({ ...parseDeployedVersion(version), reason: flags.reason }, gitOptions(flags, terminal)),
      ),
    );
  changing(program, 'lift <version>')
    .description('Lift the hold on a version such as prod/screening@1.2.0')
    .action((version: string, flags: Flags) =>
      show(terminal, flags, 'lifting the hold', () =>
        lift({ ...parseDeployedVersion(version), reason: flags.reason }, gitOptions(flags, terminal)),
      ),
    );
}

function addFreezes(program: Command, terminal: Terminal): void {
  withOutput(withGit(program.command('freeze <environment>')))
    .description('No promotions into an environment for a time; rollbacks still happen')
    .requiredOption('--reason <text>', 'why; goes into git')
    .option('--model <name>', 'of one model alone')
    .option('--until <time>', 'a duration such as 4h, or a time with its zone')
    .action((environment: string, flags: Flags & { reason: string; model?: string; until?: string }) =>
      show(terminal, flags, 'committing the freeze', () => {
        const { reason, until } = flags;
        return freeze({ ...scope(environment, flags.model), until, reason }, gitOptions(flags, terminal));
      }),
    );
  changing(program, 'unfreeze <environment>')
    .description('End the freeze of an environment')
    .option('--model <name>', 'of one model alone')
    .action((environment: string, flags: Flags & { model?: string }) =>
      show(terminal, flags, 'ending the freeze', () =>
        unfreeze({ ...scope(environment, flags.model), reason: flags.reason }, gitOptions(flags, terminal)),
      ),
    );
}

function scope(environment: string, model: string | undefined) {
  return {
    environment: parseEnvironment(environment),
    model: model === undefined ? undefined : parseModel(model),
  };
}

function changing(program: Command, verb: string): Command {
  return withOutput(withReason(withGit(program.command(verb))));
}

async function show(
  terminal: Terminal,
  { output }: Flags,
  doing: string,
  act: () => Promise<Outcome>,
): Promise<void> {
  using slow = slowly(terminal);
  slow.progress(doing);
  const outcome = await act();
  terminal.out(output === 'json' ? `${JSON.stringify(outcome, null, 2)}\n` : outcomeText(outcome));
}
