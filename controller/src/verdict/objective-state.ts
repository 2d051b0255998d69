import type { Instant } from '@switchback-ml/schemas';
import type { ObjectiveState, Pair } from './analysis.ts';
import { NO_PAIR, pairPlus } from './bad-of-total.ts';
import { gather } from './block.ts';
import { noLimit, weighLimit } from './ratio-limit.ts';
import { noEvidence, weigh } from './sequential-test.ts';
import { addSlice } from './slices.ts';

export function newObjective(): ObjectiveState {
  return { ...NO_PAIR, ...noEvidence(), limitLogRatios: noLimit(), pending: null, slices: [] };
}

/** Everything one objective remembers, after one more increment. */
export function absorb(
  state: ObjectiveState,
  increment: Pair,
  startedAt: Instant,
  now: Instant,
): ObjectiveState {
  if (increment.candidate.total === 0 && increment.stable.total === 0) return state;

  const { pending, block } = gather(state.pending, increment, now);
  const next = {
    ...state,
    ...pairPlus(state, increment),
    pending,
    slices: addSlice(state.slices, increment, now),
  };
  if (block === null) return next;
  return {
    ...next,
    ...weigh(state, block, stableBefore(block, next), minuteOf(now - startedAt)),
    limitLogRatios: weighLimit(state.limitLogRatios, block),
  };
}

/** What stable had done before the block began: the test may not peek at what it is about to weigh. */
function stableBefore(block: Pair, after: Pair): Pair['stable'] {
  return {
    bad: after.stable.bad - block.stable.bad,
    total: after.stable.total - block.stable.total,
  };
}

function minuteOf(ageMs: number): number {
  return Math.max(0, Math.floor(ageMs / 60_000)) + 1;
}
