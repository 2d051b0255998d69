import type { BadOfTotal, Pair } from './analysis.ts';

/** Random numbers in [0, 1) that are the same on every run: a 32-bit multiply-xorshift over a counter. */
export function seeded(seed: number): () => number {
  let counter = seed >>> 0;
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let word = counter;
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** How many of `total` independent events happen, each with the given chance. Takes about total × chance steps. */
export function binomial(random: () => number, total: number, chance: number): number {
  if (chance <= 0) return 0;
  if (chance >= 1) return total;
  let happened = 0;
  let position = 0;
  for (;;) {
    position += 1 + Math.floor(Math.log1p(-random()) / Math.log1p(-chance));
    if (position > total) return happened;
    happened++;
  }
}

export interface Traffic {
  requests: number;
  candidateShare: number;
  candidateBad: number;
  stableBad: number;
}

/** One look's worth of requests, split and answered at random. */
export function answered(random: () => number, traffic: Traffic): Pair {
  const candidate = binomial(random, traffic.requests, traffic.candidateShare);
  return {
    candidate: badOf(random, candidate, traffic.candidateBad),
    stable: badOf(random, traffic.requests - candidate, traffic.stableBad),
  };
}

function badOf(random: () => number, total: number, chance: number): BadOfTotal {
  return { bad: binomial(random, total, chance), total };
}
