import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';

const ATTEMPTS = 4;
const FIRST_WAIT_MS = 500;
/** Who is told to wait longer than this comes back another time. */
const LONGEST_WAIT_MS = 60_000;
/** An attempt that brought this much was worth it: a large object may come over a line that is cut again and again. */
const WORTH_BYTES = 2 ** 20;

export interface Retrying {
  clock: Clock;
  signal: AbortSignal;
  /** How much has come so far, over all attempts. */
  bytes?: () => number;
}

/**
 * Repeats what failed for a passing reason, as long apart as the server asks. Attempts that bring nothing are few; the
 * others are bounded by the size of what they bring.
 */
export async function retrying<Value>(
  { clock, signal, bytes = () => 0 }: Retrying,
  attempt: () => Promise<Value>,
): Promise<Value> {
  for (let made = 1; ; made++) {
    const before = bytes();
    try {
      return await attempt();
    } catch (error) {
      if (bytes() - before >= WORTH_BYTES) made = 1;
      const waitMs = waitAfter(error, made);
      if (waitMs === null) throw error;
      await clock.sleep(waitMs, signal);
      signal.throwIfAborted();
    }
  }
}

/** A failure that may pass by itself; `retryAfterMs` is the server's word, null where it said nothing. */
export function transient(
  message: string,
  { retryAfterMs = null, cause }: { retryAfterMs?: number | null; cause?: unknown } = {},
): SwitchbackError {
  return new SwitchbackError('E_LFS_UNREACHABLE', message, {
    details: { isTransient: true, retryAfterMs },
    cause,
  });
}

/** `Retry-After` as milliseconds from now: seconds, or a date. */
export function parseRetryAfter(header: string | null, clock: Clock): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - clock.now());
}

function waitAfter(error: unknown, made: number): number | null {
  if (!(error instanceof SwitchbackError) || error.details['isTransient'] !== true || made >= ATTEMPTS)
    return null;
  const asked = error.details['retryAfterMs'];
  if (typeof asked !== 'number') return FIRST_WAIT_MS * 2 ** (made - 1);
  return asked <= LONGEST_WAIT_MS ? asked : null;
}
