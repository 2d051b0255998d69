import { lookup } from 'node:dns/promises';
import { systemClock } from '../clock.ts';
import { asSwitchbackError } from '../error.ts';
import { makeLog } from '../log.ts';
import { watchUnexpected } from '../unexpected.ts';
import { startWatchdog } from '../watchdog/watchdog.ts';
import { startGateway } from './gateway.ts';
import { parseGatewayArguments } from './options.ts';

/** Far beyond what any request takes here. */
const BLOCKED = { tellAfterMs: 1000, endAfterMs: 30_000 };

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const fields = { component: 'gateway', pid: process.pid };
  const log = makeLog(fields);
  try {
    const settings = parseGatewayArguments(args);
    // From here on, also while it starts: who stops it as soon as it listens finds it listening to that.
    const stopped = untilStopped();
    await using _watchdog = startWatchdog({ ...BLOCKED, fields }, log);
    await using _gateway = await startGateway({
      ...settings,
      lookup: async name => (await lookup(name, { all: true })).map(({ address }) => address),
      clock: systemClock,
      random: Math.random,
      log,
    });
    using unexpected = watchUnexpected(log, () => {});
    const reason = await Promise.race([stopped, untilFatal(unexpected.fatal)]);
    log.info({ reason }, 'gateway is stopping');
    return unexpected.fatal.aborted ? 1 : 0;
  } catch (error) {
    const { code, message } = asSwitchbackError(error);
    log.error({ code, reason: message }, 'gateway can not go on');
    return 1;
  }
}

/** Why, once somebody wants it to end. */
function untilStopped(): Promise<string> {
  return new Promise(resolve => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
    // Whoever started us by a channel and is gone has nobody left who would stop us.
    if (process.connected) process.once('disconnect', () => resolve('who started it is gone'));
  });
}

function untilFatal(fatal: AbortSignal): Promise<string> {
  return new Promise(resolve => {
    fatal.addEventListener('abort', () => resolve('an exception that nobody caught'), { once: true });
  });
}
