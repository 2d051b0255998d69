import { mkdir } from 'node:fs/promises';
import type { ServingSnapshot } from '@switchback-ml/schemas';
import type { FastifyInstance } from 'fastify';
import type { Artifacts } from './artifact/artifact.ts';
import { assemble, type Parts, type RuntimeOptions } from './assemble.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { messageOf, SwitchbackError } from './error.ts';
import type { Grpc } from './front/grpc/server.ts';
import type { Log } from './log.ts';
import type { Serving } from './serving.ts';
import { type SnapshotFile, snapshotFile } from './snapshot/file.ts';
import { pollSnapshots } from './snapshot/poll.ts';
import type { UnexpectedKind } from './unexpected.ts';

const LAST_REQUESTS_MS = 5000;

export interface Runtime extends AsyncDisposable {
  /** `http://127.0.0.1:4181` */
  address: string;
  /** `127.0.0.1:4182`; null: it does not speak gRPC. */
  grpcAddress: string | null;
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
  const address = await listen(parts, config);
  const grpc = await listenGrpc(parts, config);
  const grpcAddress = grpc?.address ?? null;
  log.info({ address, grpcAddress, instance: parts.instance.instanceId }, 'runtime is listening');

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
    grpcAddress,
    countUnexpected: kind => parts.metrics.unexpected(kind),
    async [Symbol.asyncDispose]() {
      parts.drain();
      polling.abort();
      await poll;
      await Promise.all([closeFront(parts.front, options.clock), grpc?.[Symbol.asyncDispose]()]);
      await stop(parts, options);
    },
  };
}

async function stop({ loaded, supervisor, telemetry }: Parts, { log }: RuntimeOptions): Promise<void> {
  await loaded[Symbol.asyncDispose]();
  await supervisor[Symbol.asyncDispose]();
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

/** Brought in only where it is asked for: it costs 36 MB. */
async function listenGrpc(parts: Parts, { host, grpcPort }: Config): Promise<Grpc | null> {
  if (grpcPort === null) return null;
  const { startGrpc } = await import('./front/grpc/server.ts');
  try {
    return await startGrpc({ ...parts.frontOptions, host, port: grpcPort });
  } catch (error) {
    await closeFront(parts.front, parts.frontOptions.clock);
    await parts.supervisor[Symbol.asyncDispose]();
    throw error;
  }
}

async function closeFront(front: FastifyInstance, clock: Clock): Promise<void> {
  const closed = new AbortController();
  const bound = clock.sleep(LAST_REQUESTS_MS, closed.signal).then(() => front.server.closeAllConnections());
  await front.close();
  closed.abort();
  await bound;
}
