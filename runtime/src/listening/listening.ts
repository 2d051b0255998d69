import type { Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { SwitchbackError } from '../error.ts';
import type { FrontOptions } from '../front/server.ts';
import type { Log } from '../log.ts';
import { leavePort } from './leave-port.ts';
import { openOwnDoor } from './own-door.ts';

export interface ListeningOptions {
  config: Config;
  front: FastifyInstance;
  frontOptions: FrontOptions;
  instanceId: string;
  clock: Clock;
  log: Log;
}

export interface Listening {
  /** `http://127.0.0.1:4181` */
  address: string;
  /** `127.0.0.1:4182`; null: it does not speak gRPC. */
  grpcAddress: string | null;
  /** Resolves once requests can come in, or never will since it is leaving; rejects when the port can't be had. */
  opened: Promise<void>;
  /** No new connections, last answers. Its own door stays open. */
  leave(): Promise<void>;
  closeOwnDoor(): Promise<void>;
}

interface Way {
  address: string;
  close(): Promise<void>;
}

/** One that is not ready by then has a reason that waiting does not mend, and may serve its other models. */
const READY_WITHIN_MS = 30_000;
const LOOK_MS = 20;
const LAST_REQUESTS_MS = 5000;
/** For who keeps a connection to ask on it once more, and hear that it was the last time. */
const LAST_WORD_MS = 1000;
/**
 * Connections that may wait to be taken, as far as the system allows that (net.core.somaxconn). Whoever finds no room
 * tries again after a whole second, and Node's own 511 are there within some 20 ms of a rush.
 */
const BACKLOG = 4096;

/**
 * Opens the ways in: its own at once, those for requests at once or when it is ready. Throws E_PORT_TAKEN, with
 * nothing left open.
 */
export async function listen(options: ListeningOptions): Promise<Listening> {
  const { config, front, frontOptions } = options;
  if (config.sharePort !== undefined) tellLastAnswers(options);
  const ownDoor = await openOwn(options);
  const leaving = new AbortController();
  const opening = open(options, leaving.signal);
  const ways = config.sharePort === 'when-ready' ? null : await opening.catch(giveUp);
  const opened = opening.then(() => {});
  // Whoever waits for it hears of it; nobody need wait.
  opened.catch(() => {});
  return {
    address: ways?.[0]?.address ?? `http://${hostPort(config.host, config.port)}`,
    grpcAddress:
      ways?.[1]?.address ?? (config.grpcPort === null ? null : hostPort(config.host, config.grpcPort)),
    opened,
    async leave() {
      leaving.abort();
      const open = await opening.catch(() => []);
      if (config.sharePort !== undefined) await leaveToOthers(front.server, options.clock);
      await Promise.all([closeFront(front, options.clock), ...open.slice(1).map(way => way.close())]);
    },
    closeOwnDoor: async () => ownDoor?.[Symbol.asyncDispose](),
  };

  async function giveUp(error: unknown): Promise<never> {
    await closeFront(front, frontOptions.clock);
    await ownDoor?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Requests over HTTP and, if it is asked for, over gRPC; none of them when it is leaving before it is ready. */
async function open(options: ListeningOptions, leaving: AbortSignal): Promise<Way[]> {
  const { config, front, frontOptions, instanceId, clock, log } = options;
  const until = clock.elapsed() + READY_WITHIN_MS;
  while (config.sharePort === 'when-ready' && !frontOptions.readiness().isReady && clock.elapsed() < until) {
    await clock.sleep(LOOK_MS, leaving);
    if (leaving.aborted) return [];
  }
  const http = { address: await openHttp(options), close: () => closeFront(front, clock) };
  const grpc = await openGrpc(options);
  const [address, grpcAddress] = [http.address, grpc?.address ?? null];
  log.info({ address, grpcAddress, instance: instanceId }, 'runtime is listening');
  return grpc === null ? [http] : [http, grpc];
}

async function openHttp({ config, front }: ListeningOptions): Promise<string> {
  const { host, port, sharePort } = config;
  try {
    return await front.listen({
      host,
      port,
      backlog: BACKLOG,
      ...(sharePort !== undefined && { reusePort: true }),
    });
  } catch (error) {
    throw taken(error, 'port', host, port);
  }
}

async function openOwn({ config, front }: ListeningOptions): Promise<AsyncDisposable | null> {
  const { host, ownPort: port } = config;
  if (port === undefined) return null;
  await front.ready();
  try {
    return await openOwnDoor({ front: front.server, host, port });
  } catch (error) {
    throw taken(error, 'own-port', host, port);
  }
}

/** Brought in only where it is asked for: it costs 36 MB. */
async function openGrpc({ config, frontOptions }: ListeningOptions): Promise<Way | null> {
  const { host, grpcPort } = config;
  if (grpcPort === null) return null;
  const { startGrpc } = await import('../front/grpc/server.ts');
  const reusePort = config.sharePort !== undefined;
  const grpc = await startGrpc({ ...frontOptions, host, port: grpcPort, reusePort });
  return { address: grpc.address, close: async () => grpc[Symbol.asyncDispose]() };
}

/** Those that come by the framework; those that do not are told by whoever answers them. */
function tellLastAnswers({ front, frontOptions }: ListeningOptions): void {
  front.addHook('onRequest', (_, reply, done) => {
    if (frontOptions.isDraining()) reply.header('connection', 'close');
    done();
  });
}

/** Out of the group first: the others take what comes from now on, while we answer what we have. */
async function leaveToOthers(server: Server, clock: Clock): Promise<void> {
  await leavePort(server);
  const until = clock.elapsed() + LAST_WORD_MS;
  while ((await countConnections(server)) > 0 && clock.elapsed() < until) await clock.sleep(LOOK_MS);
}

function countConnections(server: Server): Promise<number> {
  return new Promise(resolve => server.getConnections((error, count) => resolve(error ? 0 : count)));
}

async function closeFront(front: FastifyInstance, clock: Clock): Promise<void> {
  const closed = new AbortController();
  const bound = clock.sleep(LAST_REQUESTS_MS, closed.signal).then(() => front.server.closeAllConnections());
  await front.close();
  closed.abort();
  await bound;
}

function taken(error: unknown, option: string, host: string, port: number): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  const message = `Port ${port} on ${host} is taken; choose another with --${option}.`;
  return new SwitchbackError('E_PORT_TAKEN', message, { cause: error });
}

function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
