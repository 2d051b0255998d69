import type { Instant } from '@switchback-ml/schemas';
import type { Pair, PendingBlock } from './analysis.ts';
import { pairPlus } from './bad-of-total.ts';

/** Beyond either, the two sides would no longer stand next to each other. */
const LONGEST_WAIT_MS = 300_000;
const MOST_ONE_SIDED_REQUESTS = 1000;

/**
 * Joins increments until both sides have answered something, because one side alone compares with nothing: looked
 * at every second, a candidate with a tenth of one request a second would otherwise never be compared at all.
 *
 * When a block ends depends on times and numbers of requests, never on whether they were bad, so the sequential
 * test stays valid. One side alone for long (a paused candidate) is dropped rather than compared with
 * requests of another time.
 */
export function gather(
  pending: PendingBlock | null,
  increment: Pair,
  now: Instant,
): { pending: PendingBlock | null; block: Pair | null } {
  const isUsable =
    pending !== null &&
    now - pending.since <= LONGEST_WAIT_MS &&
    pending.candidate.total + pending.stable.total <= MOST_ONE_SIDED_REQUESTS;
  const joined = isUsable ? pairPlus(pending, increment) : increment;

  if (joined.candidate.total > 0 && joined.stable.total > 0) return { pending: null, block: joined };
  return { pending: { since: isUsable ? pending.since : now, ...joined }, block: null };
}
