import type { Instant } from '@switchback-ml/schemas';
import type { BadOfTotal, Pair, Slice } from './analysis.ts';
import { badShare } from './bad-of-total.ts';
import { isSurelyAbove } from './binomial.ts';
import { TOLERATED_RATIO } from './likelihood.ts';
import { LONG_WINDOW_MS, over, SHORT_WINDOW_MS } from './slices.ts';

/** Burning the error budget of 30 days at this speed spends 2 % of it in an hour. */
const FAST_BURN = 14.4;
const FEWEST_BAD = 5;
/** Of the lower limit: one failure in 69 requests is already a burn of 14.5 for a target of 99.9 %. */
export const BURN_CONFIDENCE = 0.99;

/** `shared`: it burns, and stable burns with it, so that the candidate is not to blame. */
type Burn = { kind: 'calm' } | { kind: 'burning' | 'shared'; shortWindow: Pair };

/**
 * The backstop beside the sequential test, and the only test where there is no control: burn = bad share over
 * allowed share, surely at or above 14.4 in the last five minutes and in the last hour, each cut off at the start
 * of the analysis.
 */
export function burnRate(slices: readonly Slice[], target: number, now: Instant): Burn {
  const shortWindow = over(slices, SHORT_WINDOW_MS, now);
  const windows = [shortWindow, over(slices, LONG_WINDOW_MS, now)];

  const threshold = burningShare(1 - target);
  const burns = windows.every(
    ({ candidate }) => candidate.bad >= FEWEST_BAD && isSurelyAbove(candidate, threshold, BURN_CONFIDENCE),
  );
  if (!burns) return { kind: 'calm' };
  return { kind: windows.some(isSharedBy) ? 'shared' : 'burning', shortWindow };
}

/**
 * Bad share at which the budget burns too fast. 14.4 times the allowed share leaves no room once a target is
 * below about 96 % (of 95 % it would be 72 % bad, of 93 % more than all), so it is at most half way between
 * what is allowed and everything.
 */
export function burningShare(allowed: number): number {
  return Math.min(FAST_BURN * allowed, (1 + allowed) / 2);
}

/** Stable is hit as well, as far as one can tell: the candidate is not surely worse than tolerated beside it. */
export function isSharedBy({ candidate, stable }: Pair): boolean {
  return !isSurelyAbove(candidate, toleratedBeside(stable), BURN_CONFIDENCE);
}

function toleratedBeside(stable: BadOfTotal): number {
  return Math.min(1, TOLERATED_RATIO * badShare(stable));
}
