import { messageOf } from '../../error.ts';

/** What became of one export. */
export type Posted =
  | { kind: 'taken'; rejected: number }
  /** It may be tried again; not before `afterMs`, if the collector said so. */
  | { kind: 'busy'; reason: string; afterMs: number | null }
  | { kind: 'refused'; reason: string };

export interface Collector {
  /** Of one signal, whole: `http://127.0.0.1:4318/v1/traces`. */
  url: string;
  /** Sent with every export; may hold secrets, and is never told to anybody else. */
  headers: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 10_000;
const LARGEST_ANSWER_BYTES = 64 * 1024;
/** As OTLP lists them. */
const RETRIED = new Set([429, 502, 503, 504]);

/** One export over OTLP/HTTP in JSON. Never rejects; a redirect is refused. */
export async function post({ url, headers }: Collector, body: object, signal: AbortSignal): Promise<Posted> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const answer = await readBounded(response);
    if (response.ok) return { kind: 'taken', rejected: rejectedOf(answer) };
    const reason = `it answered ${response.status}`;
    if (!RETRIED.has(response.status)) return { kind: 'refused', reason };
    return { kind: 'busy', reason, afterMs: afterMs(response.headers.get('retry-after')) };
  } catch (error) {
    return { kind: 'busy', reason: reasonOf(error), afterMs: null };
  }
}

async function readBounded(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LARGEST_ANSWER_BYTES) break;
  }
  return text;
}

/** Of `partialSuccess`; an answer that is none counts as all taken. */
function rejectedOf(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer);
    return Number(partialSuccess?.rejectedSpans ?? partialSuccess?.rejectedDataPoints ?? 0) || 0;
  } catch {
    return 0;
  }
}

/** Seconds; a date is not honoured. */
function afterMs(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : null;
}

/** `fetch` hides what happened in a cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error);
}
