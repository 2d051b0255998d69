import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Dialect } from '../subject/subject.ts';

const PROGRAM = fileURLToPath(new URL('./open-process.ts', import.meta.url));
/** Over the time that requests are sent and waited for. */
const GRACE_MS = 30_000;

export interface OpenOptions {
  perSecond: number;
  forMs: number;
  /** At most so many at once. */
  connections: number;
  windowMs?: number;
  /** Ends it early, in order. */
  stop?: AbortSignal;
  signal: AbortSignal;
}

export interface OpenOrder {
  host: string;
  port: number;
  /** Whole requests as they go over the wire, to be sent in turn. */
  requests: readonly Uint8Array[];
  perSecond: number;
  forMs: number;
  connections: number;
  windowMs: number;
}

export interface Quantiles {
  count: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  p999Ms: number;
  mostMs: number;
}

/** Latencies are from the intended start of each request. */
export interface OpenResult {
  sent: number;
  answered: Quantiles;
  /** By 429 or 503. */
  turnedAway: Quantiles;
  /** Count by what happened instead. */
  failed: Record<string, number>;
  /** How late requests were sent: much of it, and the generator or its connections were the limit. */
  latenessP99Ms: number;
  windows: readonly { atMs: number; answered: number; p50Ms: number; p99Ms: number; failed: number }[];
}

/** Sends at a fixed rate from a process of its own. */
export async function openLoad(dialect: Dialect, options: OpenOptions): Promise<OpenResult> {
  const { signal, stop, windowMs = 1000, ...rest } = options;
  const { hostname: host, port } = new URL(dialect.url);
  const order: OpenOrder = { host, port: Number(port), requests: wireRequests(dialect), windowMs, ...rest };
  const child = fork(PROGRAM, { serialization: 'advanced', execArgv: [] });
  const ended = once(child, 'exit');
  try {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(rest.forMs + GRACE_MS))]);
    const heard = once(child, 'message', { signal: bound });
    child.send(order);
    stop?.addEventListener('abort', () => child.connected && child.send('stop'));
    const early = ended.then(([code]) => {
      throw new Error(`the generator of load ended with ${code} before it was done`);
    });
    const [result] = await Promise.race([heard, early]);
    return result as OpenResult;
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** How many of a run got neither an answer nor a refusal. */
export function failuresOf({ failed }: OpenResult): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}

function wireRequests({ url, messages }: Dialect): Buffer[] {
  const { host, pathname } = new URL(url);
  return messages.map(({ headers, body }) => {
    const all = { host, ...headers, 'content-length': String(body.length) };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.concat([Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head.join('')}\r\n`), body]);
  });
}
