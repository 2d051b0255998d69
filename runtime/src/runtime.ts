import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { InstanceId, type ModelName, type ServingSnapshot } from '@switchback-ml/schemas';
import type { FastifyInstance } from 'fastify';
import type { Artifacts } from './artifact/artifact.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { StartEngine } from './engine/engine.ts';
import { messageOf, SwitchbackError } from './error.ts';
import { makeFront } from './front/server.ts';
import { inference } from './inference.ts';
import { LoadedSet } from './loaded-set.ts';
import type { Log } from './log.ts';
import { type Readiness, Serving } from './serving.ts';
import { type SnapshotFile, snapshotFile } from './snapshot/file.ts';
import { Nudge } from './snapshot/nudge.ts';
import { pollSnapshots } from './snapshot/poll.ts';
import { Supervisor } from './supervisor.ts';
import { Counts } from './telemetry/counts.ts';
import { type Metrics, makeMetrics } from './telemetry/metrics.ts';
import { type Instance, observation } from './telemetry/observation.ts';
import type { UnexpectedKind } from './unexpected.ts';

const LAST_REQUESTS_MS = 5000;
const STOPPING: Readiness = { isReady: false, reasons: ['it is stopping'] };

export interface RuntimeOptions {
  config: Config;
  /** The secret shared with the controller. */
  token: string;
  startEngine: StartEngine;
  artifacts: Artifacts;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
}

export interface Runtime extends AsyncDisposable {
  /** `http://127.0.0.1:4181` */
  address: string;
  /** For the metrics: something went wrong that belongs to no request. */
  countUnexpected(kind: UnexpectedKind): void;
}

/** Starts serving; disposing stops it: not ready, no new connections, last answers, engines gone. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, log } = options;
  await mkdir(config.stateDir, { recursive: true });
  const file = snapshotFile(config.stateDir);
  const kept = await file.read();
  const parts = assemble(options);
  const address = await listen(parts, config);
  log.info({ address, instance: parts.instance.instanceId }, 'runtime is listening');

  const isOurs = kept?.environment === config.environment;
  if (kept !== null && isOurs) {
    parts.serving.accept(kept);
    await releaseArtifacts(parts.serving, options.artifacts, log);
  }
  const polling = new AbortController();
  const poll = pollSnapshots(
    {
      ...options,
      controller: config.controller,
      environment: config.environment,
      generation: isOurs ? kept.generation : null,
      onSnapshot: snapshot => take(snapshot, parts.serving, file, options),
      onTrouble: trouble => parts.serving.troubled(trouble),
      nudge: parts.nudge,
    },
    polling.signal,
  );
  return {
    address,
    countUnexpected: kind => parts.metrics.unexpected(kind),
    async [Symbol.asyncDispose]() {
      parts.drain();
      polling.abort();
      await poll;
      await stop(parts, options);
    },
  };
}

interface Parts {
  instance: Instance;
  supervisor: Supervisor;
  loaded: LoadedSet;
  serving: Serving;
  front: FastifyInstance;
  metrics: Metrics;
  /** Of the poll, by whoever shows that the controller is there. */
  nudge: Nudge;
  /** Says "not ready" from now on. */
  drain(): void;
}

/** Puts the parts together; nothing but the spare engine runs yet. */
function assemble(options: RuntimeOptions): Parts {
  const { clock, log, random, config } = options;
  const { environment } = config;
  const instance = { instanceId: InstanceId.parse(randomUUID()), environment, startedAt: clock.now() };
  const counts = new Counts();
  const nudge = new Nudge();
  const metrics = makeMetrics({ countEngines: () => loaded.countReady() });
  const supervisor = new Supervisor({
    start: options.startEngine,
    clock,
    random,
    log,
    onReplaced: ({ model }, cause) => metrics.replaced(model, cause),
  });
  const onChange = (): void => serving.settle();
  const loaded: LoadedSet = new LoadedSet({ ...options, supervisor, onBatch: metrics.batch, onChange });
  const serving = new Serving({ loaded, log, onApplied: () => metrics.snapshotApplied(clock.now()) });
  let isDraining = false;
  const front = makeFront({
    inference: inference({ serving, loaded, counts, metrics, clock, random }),
    keys: () => serving.snapshot?.keys ?? [],
    readiness: () => (isDraining ? STOPPING : serving.readiness()),
    isReady: (model, { revision }) => loaded.isReady(model as ModelName, revision),
    observe: () => {
      // Only the controller has the token to ask: it is back, and may have a snapshot.
      nudge.nudge();
      return observation(instance, { serving, loaded, counts }, clock.now());
    },
    token: options.token,
    metrics,
    log,
  });
  const drain = (): void => {
    isDraining = true;
  };
  return { instance, supervisor, loaded, serving, front, metrics, nudge, drain };
}

async function stop({ front, loaded, supervisor }: Parts, { clock, log }: RuntimeOptions): Promise<void> {
  await closeFront(front, clock);
  await loaded[Symbol.asyncDispose]();
  await supervisor[Symbol.asyncDispose]();
  log.info({}, 'runtime has stopped');
}

/** Serves from it first and keeps it after: a full disk must not hold up a rollback. */
async function take(
  snapshot: ServingSnapshot,
  serving: Serving,
  file: SnapshotFile,
  { artifacts, log }: RuntimeOptions,
): Promise<void> {
  serving.accept(snapshot);
  try {
    await file.write(snapshot);
  } catch (error) {
    log.error(
      { reason: messageOf(error) },
      'snapshot could not be kept on disk, a restart would serve an older one',
    );
    return;
  }
  await releaseArtifacts(serving, artifacts, log);
}

/** Once a restart would serve from this snapshot, what only older ones needed may go. */
async function releaseArtifacts(serving: Serving, artifacts: Artifacts, log: Log): Promise<void> {
  try {
    await artifacts.keepOnly(serving.artifacts());
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'artifacts that nobody needs could not be removed');
  }
}

async function listen({ front, supervisor }: Parts, { host, port }: Config): Promise<string> {
  try {
    return await front.listen({ host, port });
  } catch (error) {
    await supervisor[Symbol.asyncDispose]();
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!isTaken) throw error;
    throw new SwitchbackError(
      'E_PORT_TAKEN',
      `Port ${port} on ${host} is taken; choose another with --port.`,
      {
        cause: error,
      },
    );
  }
}

async function closeFront(front: FastifyInstance, clock: Clock): Promise<void> {
  const closed = new AbortController();
  const bound = clock.sleep(LAST_REQUESTS_MS, closed.signal).then(() => front.server.closeAllConnections());
  await front.close();
  closed.abort();
  await bound;
}
