import { readFile, stat } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { controllerArtifacts } from './artifact/controller/index.ts';
import type { ReplyCache } from './cache/cache.ts';
import { inProcessReplies } from './cache/in-process/index.ts';
import { replyCache } from './cache/two-level.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Config, parseConfig } from './config.ts';
import { findConfinement } from './engine/onnx/confinement.ts';
import { onnxEngines } from './engine/onnx/index.ts';
import { asSwitchbackError, SwitchbackError } from './error.ts';
import { type Log, makeLog } from './log.ts';
import { startRuntime } from './runtime.ts';
import { type Unexpected, watchUnexpected } from './unexpected.ts';
import { startWatchdog } from './watchdog/watchdog.ts';

/** How often the state folder is looked for. */
const STATE_CHECK_MS = 2000;
/** Far beyond what any snapshot or request takes to be parsed. */
const BLOCKED = { tellAfterMs: 1000, endAfterMs: 30_000 };

// Before anything is compiled further; where nothing is to be kept of it this does nothing.
flushCompileCache();
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const fields = { component: 'runtime', pid: process.pid };
  const log = makeLog(fields);
  try {
    const config = parseConfig(args, process.env);
    await using _watchdog = startWatchdog({ ...BLOCKED, fields }, log);
    return await serve(config, log);
  } catch (error) {
    const { code, message } = asSwitchbackError(error);
    log.error({ code, reason: message }, 'runtime can not go on');
    return 1;
  }
}

/** The exit code. */
async function serve(config: Config, log: Log): Promise<number> {
  const token = await readToken(config.tokenFile);
  const confinement = await findConfinement();
  if (confinement.limitMemory === null)
    log.warn({}, 'no program to limit memory with: limits.memory is not enforced');
  await using artifacts = await controllerArtifacts({ ...config, token });
  await using cache = await openCache(config, token, log);
  await using runtime = await startRuntime({
    config,
    token,
    startEngine: onnxEngines(confinement, engineCode(process.env['NODE_COMPILE_CACHE'])),
    artifacts,
    cache,
    clock: systemClock,
    random: Math.random,
    log,
  });
  using unexpected = watchUnexpected(log, kind => runtime.countUnexpected(kind));
  const stopped = untilStopped(config.stateDir, systemClock, unexpected);
  // One that can't be asked by anybody ends as one that can't begin.
  const failed = runtime.opened.then(() => stopped);
  const reason = await Promise.race([stopped, failed]);
  log.info({ reason }, 'runtime is stopping');
  return unexpected.fatal.aborted ? 1 : 0;
}

/** Beside ours, and not in it: whoever opens a model may write there. */
function engineCode(ours: string | undefined): string | null {
  return ours ? `${ours}-engines` : null;
}

/** Of answers: in this process, and in a Redis where one is named. */
async function openCache({ cacheBytes, redisFile }: Config, token: string, log: Log): Promise<ReplyCache> {
  const clock = systemClock;
  const near = inProcessReplies({ clock, budgetBytes: cacheBytes });
  if (redisFile === null) return replyCache({ clock, near, far: null });
  const text = await readFile(redisFile, 'utf8').catch((error: unknown) => {
    throw new SwitchbackError('E_CONFIG', 'The file of --redis-file can not be read.', { cause: error });
  });
  // What an environment's runtimes share already proves to each of them that an entry is one of theirs.
  const { redisReplies } = await import('./cache/redis/index.ts');
  const far = redisReplies({ url: text.trim(), secret: token, clock, random: Math.random, log });
  return replyCache({ clock, near, far });
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new SwitchbackError('E_CONFIG', 'The file of --token-file can not be read.', { cause: error });
  });
  const token = text.trim();
  if (/^[\x21-\x7e]{16,500}$/.test(token)) return token;
  throw new SwitchbackError(
    'E_CONFIG',
    'The file of --token-file must hold one secret of 16 to 500 characters.',
  );
}

/**
 * By signal, by an exception of ours, or because the state folder is gone: whoever removed it has no use for us, and
 * nobody else knows us.
 */
async function untilStopped(stateDir: string, clock: Clock, { fatal }: Unexpected): Promise<string> {
  const stopping = new AbortController();
  const ended = AbortSignal.any([stopping.signal, fatal]);
  let reason: string = 'the state folder is gone';
  const onSignal = (signal: NodeJS.Signals): void => {
    reason = signal;
    stopping.abort();
  };
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  while (!ended.aborted) {
    const isThere = await stat(stateDir).then(
      found => found.isDirectory(),
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
    );
    if (!isThere) break;
    await clock.sleep(STATE_CHECK_MS, ended);
  }
  return fatal.aborted ? 'an exception that nobody caught' : reason;
}
