import type { BadOfTotal } from './analysis.ts';
import { incompleteBeta } from './incomplete-beta.ts';

/**
 * Whether the lower Clopper-Pearson limit of the bad share, one-sided, is above `share`: so many bad events or
 * more would be rarer than 1 − confidence if the true share were only `share`. Asked this way round, the limit
 * itself need not be searched for.
 */
export function isSurelyAbove({ bad, total }: BadOfTotal, share: number, confidence: number): boolean {
  if (bad <= share * total) return false;
  return incompleteBeta(share, bad, total - bad + 1) < 1 - confidence;
}

/** Whether the upper Clopper-Pearson limit of the bad share, one-sided, is below `share`. */
export function isSurelyBelow({ bad, total }: BadOfTotal, share: number, confidence: number): boolean {
  if (bad >= share * total) return false;
  return incompleteBeta(1 - share, total - bad, bad + 1) < 1 - confidence;
}
