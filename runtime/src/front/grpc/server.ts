import { once } from 'node:events';
import { type AddressInfo, Server as SocketServer } from 'node:net';
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import { leavePort } from '../../listening/leave-port.ts';
import type { Log } from '../../log.ts';
import { LARGEST_BODY_BYTES } from '../limits.ts';
import type { V2Options } from '../protocol/v2/routes.ts';
import { Arrivals } from './arrivals.ts';
import { type Definitions, loadDefinitions } from './definitions.ts';
import { Health } from './health.ts';
import { modelInfer } from './infer.ts';
import { refuseNotOffered } from './not-offered.ts';
import { inferenceService } from './service.ts';

export interface GrpcOptions extends V2Options {
  host: string;
  /** 0: any free one. */
  port: number;
  /** Whether other processes listen on the port too. */
  reusePort?: boolean;
  clock: Clock;
  log: Log;
}

export interface Grpc extends AsyncDisposable {
  /** `127.0.0.1:4182` */
  address: string;
}

type ConnectionInjector = ReturnType<Server['createConnectionInjector']>;

/** How often watchers of health are told what changed, and late requests are looked for. */
const TICK_MS = 500;
/** For requests that are under way when it stops. */
const LAST_REQUESTS_MS = 5000;

const CHANNEL = {
  'grpc.max_receive_message_length': LARGEST_BODY_BYTES,
  // Each may hold a message of that size while it arrives.
  'grpc.max_concurrent_streams': 128,
  // A peer that is gone without a word, or has nothing to ask for long, holds no connection. Floods of pings are
  // ended below us: the HTTP/2 library gives up a connection that leaves too many answers unread.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.max_connection_idle_ms': 600_000,
};

/**
 * The Open Inference Protocol over gRPC, for clients that speak nothing else. A call that does nothing was measured at
 * 79 µs of a core here, and at 18 to 20 µs over HTTP/1.1; so this is for compatibility, and REST with binary tensors
 * carries the same bytes faster.
 *
 * Disposing stops it: watchers are told, no new connections, last answers, then an end.
 */
export async function startGrpc(options: GrpcOptions): Promise<Grpc> {
  // What goes wrong here comes back as an error, and nothing else may write to our output.
  setLogVerbosity(logVerbosity.NONE);
  const definitions = loadDefinitions();
  const health = new Health(options);
  const arrivals = new Arrivals({ ...options, open: openCalls(definitions) });
  const server = new Server({ ...CHANNEL, interceptors: [arrivals.interceptor] });
  server.addService(definitions.health, health.methods);
  server.addService(definitions.inference, {
    ...inferenceService(options),
    ModelInfer: modelInfer(options),
  });
  refuseNotOffered(server);
  new ReflectionService(definitions.all).addToServer(server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const door = await listen(server, injector, options);
  const stopping = new AbortController();
  const ticking = tick(options.clock, stopping.signal, () => {
    health.publish();
    arrivals.giveUpLate();
  });
  return {
    address: addressOf(options.host, (door.address() as AddressInfo).port),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await ticking;
      health.close();
      const closed = once(door, 'close');
      if (options.reusePort) await leavePort(door);
      else door.close();
      injector.drain(LAST_REQUESTS_MS);
      await stop(server, closed, options.clock);
    },
  };
}

const REFLECTION = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'].map(
  name => `/${name}.ServerReflection/ServerReflectionInfo`,
);

/** As over HTTP: health is for whoever asks, and what the protocol is, is no secret. Both say nothing of any model. */
function openCalls({ inference, health }: Definitions): Set<string> {
  const { ServerLive, ServerReady } = inference;
  const { Check, Watch } = health;
  return new Set([ServerLive!, ServerReady!, Check!, Watch!].map(({ path }) => path).concat(REFLECTION));
}

/** The library can't share a port, but takes connections that somebody else accepted. */
async function listen(
  server: Server,
  injector: ConnectionInjector,
  { host, port, reusePort = false }: GrpcOptions,
): Promise<SocketServer> {
  const door = new SocketServer(socket => injector.injectConnection(socket.setNoDelay(true)));
  door.listen({ host, port, reusePort });
  try {
    await once(door, 'listening');
    return door;
  } catch (error) {
    server.forceShutdown();
    const message = `Port ${port} on ${host} can not be had for gRPC; choose another.`;
    throw new SwitchbackError('E_PORT_TAKEN', message, { cause: error });
  }
}

function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

async function tick(clock: Clock, signal: AbortSignal, act: () => void): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(TICK_MS, signal);
    if (!signal.aborted) act();
  }
}

/** Forcing finds connections through the library's own statistics, so `grpc.enable_channelz` must stay on. */
async function stop(server: Server, closed: Promise<unknown>, clock: Clock): Promise<void> {
  const stopped = new AbortController();
  const bound = clock.sleep(LAST_REQUESTS_MS, stopped.signal).then(() => server.forceShutdown());
  await closed;
  stopped.abort();
  await bound;
}
