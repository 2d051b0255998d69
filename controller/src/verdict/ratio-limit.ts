import type { Pair } from './analysis.ts';
import { rateLogRatio } from './likelihood.ts';
import { logOfMean } from './sequential-test.ts';

/** Ratios a sound candidate may really have, candidate over stable. */
const SOUND = [1, 0.8, 0.5, 0.2];
/** One over the chance of calling a candidate tolerable that is not. */
const LIMIT_NEEDED = 20;

export function noLimit(): number[] {
  return SOUND.map(() => 0);
}

/** The sequential test turned round: weighs the claim "no worse than stable" against "at least 1.25 times". */
export function weighLimit(logRatios: readonly number[], block: Pair): number[] {
  return SOUND.map((ratio, i) => logRatios[i]! + rateLogRatio(ratio, block));
}

/**
 * Whether the upper 95 % limit of the rate ratio is under the tolerated 1.25, at any look: a ratio is outside the
 * interval exactly when the e-process against it has reached 20. Needs many bad events on both sides; where there
 * are none the ratio is unknown and this is never true, which is why the objective's own limit and the event
 * budget can speak too.
 */
export function isRatioTolerable(logRatios: readonly number[]): boolean {
  return logOfMean(logRatios) >= Math.log(LIMIT_NEEDED);
}
