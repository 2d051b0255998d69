import { Agent, request } from 'node:http';

export interface ReplayTarget {
  /** Base address of a V2 server, `http://127.0.0.1:4181`. */
  address: string;
  model: string;
  /** Inference key, sent as a bearer token. */
  key: string;
  /** Name of the one input, FP32 of shape [1, columns]. */
  input: string;
  rows: readonly (readonly number[])[];
  perSecond: number;
}

/** One request as its sender saw it. Times are milliseconds since the epoch, by the sender's clock. */
export interface Answer {
  model: string;
  sentAt: number;
  /** When the last byte had come. */
  atMs: number;
  /** 0: no answer at all; `failure` says why. */
  status: number;
  failure?: string;
  /** From the answer's header; null when it had none. */
  version: string | null;
  body: string;
}

/**
 * Sends rows one after another at a fixed rate, whatever the answers do: an open loop, so that a slow server can't
 * slow its own measurement down. Each request starts at its due time, or as soon after as the event loop lets it.
 * Resolves when the signal has aborted and the last answer has come.
 */
export async function replay(
  target: ReplayTarget,
  onAnswer: (answer: Answer) => void,
  signal: AbortSignal,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const open = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let sent = 0; !signal.aborted; sent++) {
    const dueInMs = startedAt + (sent * 1000) / target.perSecond - performance.now();
    if (dueInMs > 0) await pause(dueInMs, signal);
    if (signal.aborted) break;
    const row = target.rows[sent % target.rows.length] ?? [];
    const answered = send(agent, target, row).then(onAnswer);
    open.add(answered);
    void answered.finally(() => open.delete(answered));
  }
  await Promise.all(open);
  agent.destroy();
}

function send(
  agent: Agent,
  { address, model, key, input }: ReplayTarget,
  row: readonly number[],
): Promise<Answer> {
  const body = JSON.stringify({
    inputs: [{ name: input, datatype: 'FP32', shape: [1, row.length], data: row }],
  });
  const sentAt = Date.now();
  return new Promise(resolve => {
    const failed = (error: Error): void => {
      resolve({
        model,
        sentAt,
        atMs: Date.now(),
        status: 0,
        failure: error.message,
        version: null,
        body: '',
      });
    };
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${key}`,
    };
    const sending = request(
      `${address}/v2/models/${model}/infer`,
      { agent, method: 'POST', headers, timeout: 10_000 },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', chunk => chunks.push(chunk));
        response.on('error', failed);
        response.on('end', () => {
          const version = response.headers['x-switchback-version'];
          resolve({
            model,
            sentAt,
            atMs: Date.now(),
            status: response.statusCode ?? 0,
            version: typeof version === 'string' ? version : null,
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    sending.on('timeout', () => sending.destroy(new Error('no answer within 10 s')));
    sending.on('error', failed);
    sending.end(body);
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
