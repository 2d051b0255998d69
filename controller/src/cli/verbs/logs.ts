import { LEVELS, type Level, type LogScope, logs, parseScope } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { numberBetween, oneOf, type StateFlags, stateOf, withOutput, withState } from '../options.ts';
import { logLineText } from '../print/log-line.ts';

interface Flags extends StateFlags {
  follow: boolean;
  since?: string;
  level?: Level;
  lines?: number;
}

/** Enough to see what happens now; who looks further back says how far. */
const LINES_SHOWN = 200;
const MOST_LINES = 1_000_000;

export const addLogs: AddVerbs = (program, terminal) => {
  withOutput(withState(program.command('logs [address]')))
    .description('What the controller and the runtimes wrote: of all, controller, prod or prod/screening')
    .option('-f, --follow', 'go on with what comes', false)
    .option('--since <time>', 'a duration such as 10m, or a time')
    .option('--level <level>', `this and graver: ${LEVELS.join(', ')}`, oneOf(LEVELS))
    .option(
      '-n, --lines <number>',
      `only the newest (default: ${LINES_SHOWN}, with --since all)`,
      numberBetween(0, MOST_LINES),
    )
    .action(async (address: string | undefined, flags: Flags) => {
      const { follow, since, level, lines = since === undefined ? LINES_SHOWN : undefined } = flags;
      const state = stateOf(flags, terminal);
      const { signal } = terminal;
      for await (const line of logs({ state, scope: scopeOf(address), follow, since, level, lines, signal }))
        terminal.out(`${flags.output === 'json' ? JSON.stringify(line) : logLineText(line)}\n`);
    });
};

function scopeOf(address: string | undefined): LogScope {
  return address === 'controller' ? { of: 'controller' } : { of: 'deployments', ...parseScope(address) };
}
