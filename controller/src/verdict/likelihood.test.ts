import fc from 'fast-check';
import { expect, test } from 'vitest';
import { oddsLogRatio, rateLogRatio, TOLERATED_RATIO } from './likelihood.ts';

const block = (xc: number, nc: number, xb: number, nb: number) => ({
  candidate: { bad: xc, total: nc },
  stable: { bad: xb, total: nb },
});

test('weighs a bad event by whose it is, as the formula with theta says', () => {
  // s = 0.1: theta(5) = 0.5/1.4, theta(1.25) = 0.125/1.025
  const worse = 0.5 / 1.4;
  const tolerated = 0.125 / 1.025;

  expect(rateLogRatio(5, block(3, 100, 2, 900))).toBeCloseTo(
    3 * Math.log(worse / tolerated) + 2 * Math.log((1 - worse) / (1 - tolerated)),
    12,
  );
});

test('takes no evidence from good events when it looks at rates', () => {
  expect(rateLogRatio(5, block(0, 100, 0, 900))).toBeCloseTo(0, 12);
});

test('compares odds with the closest pair of shares that is tolerated', () => {
  // equal requests, odds 4 on a half: claims (0.8, 0.5); b0 solves 2.5 b² − 3.675 b + 1.3 = 0
  const b0 = (3.675 - Math.sqrt(3.675 ** 2 - 4 * 2.5 * 1.3)) / 5;
  const expected =
    7 * Math.log(0.8 / (1.25 * b0)) +
    3 * Math.log(0.2 / (1 - 1.25 * b0)) +
    5 * Math.log(0.5 / b0) +
    5 * Math.log(0.5 / (1 - b0));

  expect(oddsLogRatio(4, 0.5, block(7, 10, 5, 10))).toBeCloseTo(expected, 10);
});

test('stakes nothing on odds that would still be tolerated', () => {
  expect(oddsLogRatio(1.5, 0.6, block(10, 10, 0, 10))).toBe(0);
});

const requests = fc.integer({ min: 1, max: 9 });
const share = fc.double({ min: 0.0001, max: 1, noNaN: true });
const ratio = fc.double({ min: 1.26, max: 60, noNaN: true });

test('never gains on average while the candidate is tolerated, whatever the rates', () => {
  fc.assert(
    fc.property(requests, requests, share, share, ratio, (nc, nb, stable, worse, ratio) => {
      const candidate = Math.min(1, TOLERATED_RATIO * stable) * worse;
      const mean = meanOf(pair => rateLogRatio(ratio, pair), { nc, nb, candidate, stable });

      expect(mean).toBeLessThanOrEqual(1 + 1e-9);
    }),
  );
});

test('never gains on average by odds either, however wrong the baseline is', () => {
  const baseline = fc.double({ min: 0.0001, max: 0.9999, noNaN: true });
  fc.assert(
    fc.property(requests, requests, share, baseline, ratio, (nc, nb, stable, baseline, odds) => {
      const candidate = Math.min(1, TOLERATED_RATIO * stable);
      const mean = meanOf(pair => oddsLogRatio(odds, baseline, pair), { nc, nb, candidate, stable });

      expect(mean).toBeLessThanOrEqual(1 + 1e-9);
    }),
  );
});

test('never gains on average for a sound ratio while the candidate is worse than tolerated', () => {
  const sound = fc.double({ min: 0.05, max: 1.2, noNaN: true });
  fc.assert(
    fc.property(requests, requests, share, sound, (nc, nb, candidate, sound) => {
      const stable = candidate / TOLERATED_RATIO;
      const mean = meanOf(pair => rateLogRatio(sound, pair), { nc, nb, candidate, stable });

      expect(mean).toBeLessThanOrEqual(1 + 1e-9);
    }),
  );
});

test('gains on average when the candidate is as bad as claimed', () => {
  const truth = { nc: 5, nb: 20, candidate: 0.25, stable: 0.05 };

  expect(meanOf(pair => rateLogRatio(5, pair), truth)).toBeGreaterThan(1.1);
  expect(meanOf(pair => oddsLogRatio(6.33, 0.05, pair), truth)).toBeGreaterThan(1.1);
});

interface Truth {
  nc: number;
  nb: number;
  candidate: number;
  stable: number;
}

/** The exact mean of the likelihood ratio: every outcome by its probability. */
function meanOf(
  logRatio: (pair: ReturnType<typeof block>) => number,
  { nc, nb, candidate, stable }: Truth,
): number {
  let mean = 0;
  for (let xc = 0; xc <= nc; xc++)
    for (let xb = 0; xb <= nb; xb++)
      mean +=
        probability(xc, nc, candidate) *
        probability(xb, nb, stable) *
        Math.exp(logRatio(block(xc, nc, xb, nb)));
  return mean;
}

function probability(k: number, n: number, p: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways *= (n - i + 1) / i;
  return ways * p ** k * (1 - p) ** (n - k);
}
