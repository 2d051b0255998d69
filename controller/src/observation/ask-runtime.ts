import { OBSERVATION_PATH, RuntimeObservation } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import { messageOf } from '../error.ts';

export type Fetch = typeof globalThis.fetch;

/** A runtime with 1,000 models says about 1 MB; what says more is not a runtime. */
const ANSWER_LIMIT_BYTES = 16 * 2 ** 20;

export interface Question {
  /** Base address, `http://127.0.0.1:4181`. */
  address: string;
  /** The whole answer must be here by then. */
  boundMs: number;
  clock: Clock;
  fetch: Fetch;
  signal: AbortSignal;
}

export type Word = { kind: 'word'; observation: RuntimeObservation } | { kind: 'silent'; reason: string };

/** What a runtime says of itself now, as a bounded look: never throws, never waits longer than the bound. */
export async function askRuntime(question: Question, token: string): Promise<Word> {
  try {
    const answer = await get(question, OBSERVATION_PATH, { authorization: `Bearer ${token}` });
    if (answer.status !== 200) return { kind: 'silent', reason: `answered ${answer.status}` };
    const parsed = RuntimeObservation.safeParse(JSON.parse(answer.text));
    if (parsed.success) return { kind: 'word', observation: parsed.data };
    return { kind: 'silent', reason: `said something else: ${parsed.error.issues[0]?.message}` };
  } catch (error) {
    return { kind: 'silent', reason: messageOf(error) };
  }
}

/** Whether the process behind the address answers at all; what it answers is its own business. */
export async function isAnswering(question: Question): Promise<boolean> {
  try {
    await get(question, '/healthz', {});
    return true;
  } catch {
    return false;
  }
}

/** Refuses redirects, since the token must go nowhere else. */
function get(
  { address, boundMs, clock, fetch, signal }: Question,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  return bounded({ boundMs, clock, signal }, async bound => {
    const response = await fetch(new URL(path, address), { headers, redirect: 'error', signal: bound });
    return { status: response.status, text: await boundedText(response) };
  });
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > ANSWER_LIMIT_BYTES) throw new Error(`said more than ${ANSWER_LIMIT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The signal given to `work` aborts at the bound, or with the outer signal; nothing is left behind. */
async function bounded<T>(
  { boundMs, clock, signal }: Pick<Question, 'boundMs' | 'clock' | 'signal'>,
  work: (bound: AbortSignal) => Promise<T>,
): Promise<T> {
  const bound = new AbortController();
  const stop = (): void => bound.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const late = clock
    .sleep(boundMs, bound.signal)
    .then(() => bound.abort(new Error(`did not answer within ${boundMs} ms`)));
  try {
    return await work(bound.signal);
  } finally {
    bound.abort();
    signal.removeEventListener('abort', stop);
    await late;
  }
}
