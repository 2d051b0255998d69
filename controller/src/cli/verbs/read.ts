import { resolve } from 'node:path';
import type { Status } from '@switchback-ml/schemas';
import type { Command } from 'commander';
import { events, status, type Validation, validate } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { numberBetween, type StateFlags, stateOf, withOutput, withState } from '../options.ts';
import { eventLine } from '../print/event.ts';
import { json } from '../print/json.ts';
import { problemsText, statusText } from '../print/status.ts';
import { slowly } from '../slowly.ts';
import { EXIT, type ExitCode, type Terminal } from '../terminal.ts';

/** Verbs that look and change nothing. */
export const addReadVerbs: AddVerbs = (program, terminal, finish) => {
  addStatus(program, terminal, finish);
  addEvents(program, terminal);
  addValidate(program, terminal, finish);
};

const addStatus: AddVerbs = (program, terminal, finish) => {
  withOutput(withState(program.command('status')))
    .description('What git asks for, what is served, and what is waited for')
    .action(async (flags: StateFlags) => {
      const now = await status({ state: stateOf(flags, terminal), signal: terminal.signal });
      terminal.out(flags.output === 'json' ? json(now) : statusText(now));
      finish(exitOf(now));
    });
};

/** For scripts: whether anything that runs was found bad. */
function exitOf({ environments }: Status): ExitCode {
  const isBad = environments.some(({ deployments }) =>
    deployments.some(({ verdict, phase }) => verdict?.verdict === 'degraded' || phase === 'halted'),
  );
  return isBad ? EXIT.differs : EXIT.ok;
}

function addEvents(program: Command, terminal: Terminal): void {
  withOutput(withState(program.command('events')))
    .description('What happened, oldest first')
    .option('--follow', 'go on with what comes', false)
    .option('--subject <address>', 'of one deployment such as prod/screening')
    .option('--after <number>', 'only events after this one', numberBetween(0, Number.MAX_SAFE_INTEGER))
    .action(async (flags: StateFlags & { follow: boolean; subject?: string; after?: number }) => {
      const { follow, subject, after } = flags;
      const asked = { state: stateOf(flags, terminal), follow, subject, after, signal: terminal.signal };
      for await (const event of events(asked))
        terminal.out(
          `${flags.output === 'json' ? JSON.stringify(event) : eventLine(event, terminal.now())}\n`,
        );
    });
}

const addValidate: AddVerbs = (program, terminal, finish) => {
  withOutput(program.command('validate'))
    .description('What the controller would say of a working folder, before it is committed')
    .option('--repo <folder>', 'folder of the model repository', '.')
    .option('--all', 'try the graphs of versions that others have, too', false)
    .action(async ({ repo, all, output }: { repo: string; all: boolean; output: string }) => {
      const folder = resolve(terminal.directory, repo);
      using slow = slowly(terminal);
      const { environment, signal } = terminal;
      const asked = { folder, environment, triesAll: all, progress: slow.progress, signal };
      const found = await validate(asked);
      const { problems, models, versions, environments, notes } = found;
      const errors = problems.filter(({ severity }) => severity === 'error').length;
      const counts = `${models} models, ${versions} versions, ${environments} environments: `;
      const verdict = `${errors} errors, ${problems.length - errors} warnings${trialsText(found)}`;
      const text = problems.length > 0 ? `${problemsText(problems)}\n` : '';
      for (const note of notes) terminal.err(`${note}\n`);
      terminal.out(output === 'json' ? json(found) : `${text}${counts}${verdict}\n`);
      finish(errors > 0 ? EXIT.differs : EXIT.ok);
    });
};

/** No error of a graph that nobody asked means nothing. */
function trialsText({ tried, untried }: Pick<Validation, 'tried' | 'untried'>): string {
  const done = tried === 0 ? '' : `, ${tried} ${tried === 1 ? 'graph' : 'graphs'} tried`;
  return untried === 0 ? done : `${done}, ${untried} that others have not tried (--all)`;
}
