import { mkdir } from 'node:fs/promises';
import type { ServingSnapshot } from '@switchback-ml/schemas';
import type { Artifacts } from './artifact/artifact.ts';
import { assemble, type Parts, type RuntimeOptions } from './assemble.ts';
import { messageOf } from './error.ts';
import { type Listening, listen } from './listening/listening.ts';
import type { Log } from './log.ts';
import type { Serving } from './serving.ts';
import { type SnapshotFile, snapshotFile } from './snapshot/file.ts';
import { pollSnapshots } from './snapshot/poll.ts';
import type { UnexpectedKind } from './unexpected.ts';

export interface Runtime extends AsyncDisposable {
  /** `http://127.0.0.1:4181` */
  address: string;
  /** `127.0.0.1:4182`; null: it does not speak gRPC. */
  grpcAddress: string | null;
  /** Resolves once requests can come in; rejects when the port that it shares can't be had, and it is of no use. */
  opened: Promise<void>;
  /** For the metrics: something went wrong that belongs to no request. */
  countUnexpected(kind: UnexpectedKind): void;
}

/** Starts serving; disposing stops it: not ready, no new connections, last answers, engines gone. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, log } = options;
  await mkdir(config.stateDir, { recursive: true });
  const file = snapshotFile(config.stateDir);
  const kept = await file.read();
  const parts = await assemble(options);
  const listening = await listenOrStop(parts, options);

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
    address: listening.address,
    grpcAddress: listening.grpcAddress,
    opened: listening.opened,
    countUnexpected: kind => parts.metrics.unexpected(kind),
    async [Symbol.asyncDispose]() {
      parts.drain();
      polling.abort();
      await listening.leave();
      await poll;
      await stop(parts, options);
      await listening.closeOwnDoor();
    },
  };
}

async function stop(
  { loaded, supervisor, telemetry, congestion }: Parts,
  { log }: RuntimeOptions,
): Promise<void> {
  await loaded[Symbol.asyncDispose]();
  await supervisor[Symbol.asyncDispose]();
  await congestion[Symbol.asyncDispose]();
  await telemetry[Symbol.asyncDispose]();
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

async function listenOrStop(parts: Parts, options: RuntimeOptions): Promise<Listening> {
  try {
    return await listen({ ...options, ...parts, instanceId: parts.instance.instanceId });
  } catch (error) {
    await parts.supervisor[Symbol.asyncDispose]();
    throw error;
  }
}
