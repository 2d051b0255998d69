import type { BadOfTotal, Pair } from './analysis.ts';

export const NONE: BadOfTotal = Object.freeze({ bad: 0, total: 0 });
export const NO_PAIR: Pair = Object.freeze({ candidate: NONE, stable: NONE });

export function plus(a: BadOfTotal, b: BadOfTotal): BadOfTotal {
  return { bad: a.bad + b.bad, total: a.total + b.total };
}

export function pairPlus(a: Pair, b: Pair): Pair {
  return { candidate: plus(a.candidate, b.candidate), stable: plus(a.stable, b.stable) };
}

/** Share of bad events; 0 where there were none at all. */
export function badShare({ bad, total }: BadOfTotal): number {
  return total > 0 ? bad / total : 0;
}
