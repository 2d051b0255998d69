import { resolve } from 'node:path';
import { type Running, up } from '../../command/index.ts';
import type { AddVerbs } from '../add-verbs.ts';
import { from, numberBetween, stateHint, stateOf, withState } from '../options.ts';
import { upText } from '../print/up.ts';
import { slowly } from '../slowly.ts';
import { EXIT, type Terminal } from '../terminal.ts';

interface Flags {
  repo: string;
  root?: string;
  branch?: string;
  state: string;
  port?: number;
  lfs?: string;
  poll?: string;
  keepEvents?: string;
  artifactBudget?: string;
  lfsHost?: string[];
  redisFile?: string;
  ledgerUrlFile?: string;
}

/** The whole loop in the foreground of a terminal. */
export const addUp: AddVerbs = (program, terminal, finish) => {
  withState(program.command('up'))
    .description('Run the controller and what it serves on this machine, until Ctrl-C')
    .requiredOption(
      '--repo <url or folder>',
      'model repository: an address, or a folder with a bare repository',
    )
    .option('--root <folder>', 'folder of the model repository within the git repository')
    .option('--branch <name>', 'branch to watch (default: main)')
    .option('--port <number>', 'of the management API (default: a free one)', numberBetween(0, 65_535))
    .option('--lfs <url>', "LFS endpoint, where it is not the repository's own")
    .option('--poll <duration>', 'how often to look at the remote (default: 1s)')
    .option('--keep-events <duration>', 'how old an event may get (default: 90d)')
    .option('--artifact-budget <size>', 'disk that artifacts may take beyond what is needed (default: 64Gi)')
    .option('--lfs-host <host...>', 'other hosts that the LFS server may send us to')
    .option('--redis-file <path>', 'file with the URL of a Redis in which runtimes share answers')
    .option(
      '--ledger-url-file <path>',
      'file with the address of a PostgreSQL database for the ledger (default: a file of the state directory)',
    )
    .action(async (flags: Flags) => {
      await using running = await start(flags, terminal);
      terminal.out(upText(running, { state: stateHint(flags), now: terminal.now() }));
      const why = await Promise.race([running.exited, aborted(terminal.signal)]);
      if (why !== null) terminal.err(`switchback: the controller is gone: ${why}\n`);
      else terminal.err('stopping …\n');
      await running.stop();
      finish(why === null ? EXIT.ok : EXIT.error);
    });
};

async function start(flags: Flags, terminal: Terminal): Promise<Running> {
  using slow = slowly(terminal);
  return await up({
    ...flags,
    repo: from(terminal.directory, flags.repo),
    state: stateOf(flags, terminal),
    redisFile: flags.redisFile && resolve(terminal.directory, flags.redisFile),
    ledgerUrlFile: flags.ledgerUrlFile && resolve(terminal.directory, flags.ledgerUrlFile),
    progress: slow.progress,
    onRestart: how => terminal.err(`switchback: the controller ended (${how}) and is started again.\n`),
    signal: terminal.signal,
  });
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
