import { readFile, stat } from 'node:fs/promises';
import { controllerArtifacts } from './artifact/controller/index.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Config, parseConfig } from './config.ts';
import { findConfinement } from './engine/onnx/confinement.ts';
import { onnxEngines } from './engine/onnx/index.ts';
import { asSwitchbackError, SwitchbackError } from './error.ts';
import { type Log, makeLog } from './log.ts';
import { startRuntime } from './runtime.ts';

/** How often the state folder is looked for. */
const STATE_CHECK_MS = 2000;

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const log = makeLog({ component: 'runtime', pid: process.pid });
  try {
    const config = parseConfig(args);
    await serve(config, log);
    return 0;
  } catch (error) {
    const { code, message } = asSwitchbackError(error);
    log.error({ code, reason: message }, 'runtime can not go on');
    return 1;
  }
}

async function serve(config: Config, log: Log): Promise<void> {
  const token = await readToken(config.tokenFile);
  const confinement = await findConfinement();
  if (confinement.limitMemory === null)
    log.warn({}, 'no program to limit memory with: limits.memory is not enforced');
  await using artifacts = await controllerArtifacts({ ...config, token });
  await using _runtime = await startRuntime({
    config,
    token,
    startEngine: onnxEngines(confinement),
    artifacts,
    clock: systemClock,
    random: Math.random,
    log,
  });
  const reason = await untilStopped(config.stateDir, systemClock);
  log.info({ reason }, 'runtime is stopping');
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

/** By signal, or because the state folder is gone: whoever removed it has no use for us, and nobody else knows us. */
async function untilStopped(stateDir: string, clock: Clock): Promise<string> {
  const stopping = new AbortController();
  let reason = 'the state folder is gone';
  const onSignal = (signal: NodeJS.Signals): void => {
    reason = signal;
    stopping.abort();
  };
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  while (!stopping.signal.aborted) {
    const isThere = await stat(stateDir).then(
      found => found.isDirectory(),
      () => false,
    );
    if (!isThere) break;
    await clock.sleep(STATE_CHECK_MS, stopping.signal);
  }
  return reason;
}
