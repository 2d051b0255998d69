import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { eventually } from '../serving.fixture.ts';
import { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';

export interface GatewayFixture {
  address: string;
  /** Replaces the list of runtimes. */
  list(text: string): Promise<void>;
  metric(line: RegExp): Promise<number>;
}

/** A gateway in this process before the runtimes at these addresses, all of environment "test". Stops with the test. */
export async function startGatewayFixture(
  runtimes: readonly string[] | object,
  options: Partial<GatewayOptions> = {},
): Promise<GatewayFixture> {
  const file = await listFile(Array.isArray(runtimes) ? listOf(runtimes) : JSON.stringify(runtimes));
  const gateway: Gateway = await startGateway({
    runtimesFile: file,
    host: '127.0.0.1',
    port: 0,
    mostConnections: 64,
    lookup: async () => [],
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    drainMs: { answers: 5000, idle: 20 },
    ...options,
  });
  onTestFinished(async () => gateway[Symbol.asyncDispose]());
  const { address } = gateway;
  return {
    address,
    list: text => writeFile(file, text),
    metric: async line =>
      Number(line.exec(await (await fetch(`${address}/metrics`)).text())?.[1] ?? Number.NaN),
  };
}

export function listOf(runtimes: readonly string[], environment = 'test'): string {
  return JSON.stringify({ runtimes: runtimes.map(url => ({ url, environment })) });
}

export async function listFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-gateway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'runtimes.json');
  await writeFile(file, text);
  return file;
}

export const ready = ({ address }: { address: string }): Promise<unknown> =>
  eventually(async () => (await fetch(`${address}/readyz`)).status === 200, 'readiness of the gateway');

/** Until so many runtimes stand so. */
export const standing = (gateway: GatewayFixture, how: string, count: number): Promise<unknown> =>
  eventually(async () => {
    const text = await (await fetch(`${gateway.address}/metrics`)).text();
    const lines = [...text.matchAll(/^switchback_gateway_runtime_standing\{.*standing="(\w+)"\} 1$/gm)];
    return lines.filter(([, found]) => found === how).length === count;
  }, `${count} runtimes that are ${how}`);

export interface ScriptedRuntime {
  address: string;
  server: Server;
  /** What inference was asked, in order. */
  asked: { url: string; headers: IncomingMessage['headers']; body: string; socket: Socket }[];
}

/** An HTTP server that is ready as a runtime is, and answers everything else as it is told. Closes with the test. */
export async function startScripted(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<ScriptedRuntime> {
  const asked: ScriptedRuntime['asked'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      if (request.url === '/v2/health/ready') return void response.end('{"ready":true}');
      asked.push({ url: request.url!, headers: request.headers, body, socket: request.socket });
      answer(request, response, body);
    });
  });
  const address = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address, server, asked };
}

export async function listening(server: NetServer): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

export interface RawClient {
  socket: Socket;
  write(text: string): void;
  text(): string;
  /** So far. */
  statuses(): string[];
  ended: Promise<unknown>;
}

/** A connection on which a test writes what it likes. Closes with the test. */
export async function rawClient(address: string): Promise<RawClient> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk;
  });
  socket.on('error', () => {});
  return {
    socket,
    write: more => void socket.write(more, 'latin1'),
    text: () => text,
    statuses: () => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status!),
    ended: new Promise(resolve => socket.once('end', resolve).once('close', resolve)),
  };
}

export const INFER = '/v2/models/ratio/infer';

export function post(body: string, { path = INFER, headers = [] as string[] } = {}): string {
  const more = headers.map(line => `${line}\r\n`).join('');
  return `POST ${path} HTTP/1.1\r\nhost: a\r\n${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
