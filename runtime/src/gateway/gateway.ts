import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';
import { KEEP_ALIVE_MS, REQUEST_TIMEOUT_MS } from '../front/limits.ts';
import type { Log } from '../log.ts';
import { Client, type Patience } from './client.ts';
import { Clients } from './clients.ts';
import { Fleet } from './fleet/fleet.ts';
import { probeMember } from './fleet/probe.ts';
import { DRAIN_MS, MOST_CLIENTS, SWEEP_MS } from './limits.ts';
import { watchListing } from './listing/watch.ts';
import { type GatewayMetrics, gatewayMetrics } from './metrics.ts';
import { passage } from './passage/passage.ts';

export interface GatewayOptions {
  /** Holds the list of runtimes; looked at again each second. */
  runtimesFile: string;
  host: string;
  /** 0: any free one. */
  port: number;
  /** To each runtime, at one time. */
  mostConnections: number;
  /** Every address of a host. */
  lookup: (name: string) => Promise<readonly string[]>;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
  patienceMs?: Partial<Patience>;
  drainMs?: typeof DRAIN_MS;
}

export interface Gateway extends AsyncDisposable {
  /** `http://127.0.0.1:4180` */
  address: string;
}

/** Starts passing requests on; disposing stops it: not ready, no new connections, last answers, closed. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { clock, random, log } = options;
  const fleet = new Fleet({
    ...options,
    elapsed: () => clock.elapsed(),
    probe: (member, signal) => probeMember(member, clock, random, signal),
  });
  let listingFailures = 0;
  const watch = await watchListing({
    ...options,
    file: options.runtimesFile,
    onChange: places => fleet.apply(places),
    onTrouble: () => listingFailures++,
  });
  const { server, clients } = makeServer(options, fleet, () => listingFailures);
  const address = await listen(server, options).catch(async (error: unknown) => {
    await fleet[Symbol.asyncDispose]();
    throw error;
  });
  log.info({ address }, 'gateway is listening');
  const stopping = new AbortController();
  const following = watch.follow(stopping.signal);
  const sweep = setInterval(() => {
    const now = clock.elapsed();
    clients.sweep(now);
    fleet.sweep(now);
  }, SWEEP_MS);
  return {
    address,
    async [Symbol.asyncDispose]() {
      await drain(server, clients, options);
      clearInterval(sweep);
      stopping.abort();
      await following;
      await fleet[Symbol.asyncDispose]();
      log.info({}, 'gateway has stopped');
    },
  };
}

function makeServer(
  options: GatewayOptions,
  fleet: Fleet,
  listingFailures: () => number,
): { server: Server; clients: Clients } {
  const { clock } = options;
  const held = { bytes: 0 };
  const clients = new Clients();
  const metrics = gatewayMetrics({
    fleet,
    clients: () => clients.count,
    heldBytes: () => held.bytes,
    listingFailures,
  });
  const patienceMs = {
    request: KEEP_ALIVE_MS,
    rest: REQUEST_TIMEOUT_MS,
    reader: REQUEST_TIMEOUT_MS,
    ...options.patienceMs,
  };
  const way = {
    fleet,
    held,
    elapsed: () => clock.elapsed(),
    isDraining: () => clients.isDraining,
    patienceMs,
  };
  const pass = passage(way);
  const server = createServer(
    {
      requestTimeout: patienceMs.rest,
      keepAliveTimeout: patienceMs.request,
      connectionsCheckingInterval: Math.min(1000, patienceMs.rest),
    },
    (request, response) => {
      if (!answerOwn(request, response, clients.isDraining, fleet, metrics)) void pass(request, response);
    },
  );
  server.maxConnections = MOST_CLIENTS;
  clients.take(server, (socket: Socket, handOver) => new Client(socket, { ...way, handOver }));
  return { server, clients };
}

/** What is asked of the gateway itself; false: nothing of it. */
function answerOwn(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  isDraining: boolean,
  fleet: Fleet,
  metrics: GatewayMetrics,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (url === '/healthz') sendJson(response, 200, { ok: true });
  else if (url === '/readyz') sendReadiness(response, isDraining, fleet);
  else if (url === '/metrics') void sendMetrics(response, metrics);
  else return false;
  return true;
}

/** Ready as long as it can do something for anybody: which environment lacks runtimes, it says. */
function sendReadiness(response: ServerResponse, isDraining: boolean, { groups }: Fleet): void {
  const environments = Object.fromEntries([...groups].map(([name, { isAnswering }]) => [name, isAnswering]));
  const isReady = !isDraining && Object.values(environments).includes(true);
  const reason = isDraining ? 'it is stopping' : 'no runtime answers';
  sendJson(response, isReady ? 200 : 503, { ready: isReady, ...(!isReady && { reason }), environments });
}

/** Never rejects: what it prints are numbers in memory. */
async function sendMetrics(response: ServerResponse, metrics: GatewayMetrics): Promise<void> {
  const text = await metrics.print();
  response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function listen(server: Server, { host, port }: GatewayOptions): Promise<string> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    const message = `Port ${port} on ${host} is taken; choose another with --port.`;
    throw new SwitchbackError('E_PORT_TAKEN', message, { cause });
  }
  const bound = server.address() as AddressInfo;
  return `http://${isIPv6(bound.address) ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** Answers what is under way, within a bound; clients that are idle may send one more request for a moment. */
async function drain(
  server: Server,
  clients: Clients,
  { clock, drainMs = DRAIN_MS }: GatewayOptions,
): Promise<void> {
  const closed = once(server, 'close');
  clients.drain();
  server.close();
  const isClosed = new AbortController();
  void closed.then(() => isClosed.abort());
  await clock.sleep(drainMs.idle, isClosed.signal);
  clients.endIdle();
  await clock.sleep(drainMs.answers, isClosed.signal);
  clients.cutAll();
  server.closeAllConnections();
  await closed;
}
