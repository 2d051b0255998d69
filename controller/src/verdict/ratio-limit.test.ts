import { expect, test } from 'vitest';
import { isRatioTolerable, noLimit, weighLimit } from './ratio-limit.ts';
import { answered, seeded } from './simulated-traffic.ts';

const traffic = { requests: 200, candidateShare: 0.5 };

test('never calls a ratio tolerable that was not measured', () => {
  const flawless = { candidate: { bad: 0, total: 1_000_000 }, stable: { bad: 0, total: 1_000_000 } };

  expect(isRatioTolerable(noLimit())).toBe(false);
  expect(isRatioTolerable(weighLimit(noLimit(), flawless))).toBe(false);
});

test('follows the sequential test by hand for equal shares', () => {
  // theta(1.25) = 1.25/2.25; only stable is bad: (1 − theta(r)) / (1 − theta(t)) = 2.25 / (1 + r) each
  const block = { candidate: { bad: 0, total: 50 }, stable: { bad: 6, total: 50 } };

  const logRatios = weighLimit(noLimit(), block);

  expect(logRatios).toEqual([1, 0.8, 0.5, 0.2].map(r => expect.closeTo(6 * Math.log(2.25 / (1 + r)), 10)));
  expect(isRatioTolerable(logRatios)).toBe(false);
  expect(isRatioTolerable(weighLimit(logRatios, block))).toBe(true);
});

test('grows sure of an equal candidate when bad events are many', () => {
  expect(looksUntilTolerable({ ...traffic, candidateBad: 0.1, stableBad: 0.1 }, 7)).toBeLessThan(150);
});

test('calls a candidate that is worse by a quarter tolerable in fewer than one of twenty analyses', () => {
  const runs = Array.from({ length: 400 }, (_, seed) =>
    looksUntilTolerable({ ...traffic, candidateBad: 0.125, stableBad: 0.1 }, seed),
  );

  expect(runs.filter(looks => looks < Number.POSITIVE_INFINITY).length).toBeLessThanOrEqual(20);
});

function looksUntilTolerable(truth: Parameters<typeof answered>[1], seed: number): number {
  const random = seeded(seed);
  let logRatios = noLimit();
  for (let look = 1; look <= 300; look++) {
    logRatios = weighLimit(logRatios, answered(random, truth));
    if (isRatioTolerable(logRatios)) return look;
  }
  return Number.POSITIVE_INFINITY;
}
