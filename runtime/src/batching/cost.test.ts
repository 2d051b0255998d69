import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CostCurve, Costs } from './cost.ts';

const curves = fc.record({
  fixedMs: fc.double({ min: 0.05, max: 50, noNaN: true }),
  perRowMs: fc.double({ min: 0, max: 5, noNaN: true }),
});
const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 40, maxLength: 100 });

function learn(costs: Costs, rows: readonly number[], msOf: (rows: number, index: number) => number): Costs {
  for (const [index, size] of rows.entries()) costs.learn(size, msOf(size, index), index);
  return costs;
}

const msBy =
  ({ fixedMs, perRowMs }: CostCurve) =>
  (rows: number): number =>
    fixedMs + perRowMs * rows;

describe('the cost curve', () => {
  test('is found from batches of several sizes', () => {
    fc.assert(
      fc.property(curves, sizes, (curve, rows) => {
        const spread = [...rows, 1, 64, 1, 64, 1, 64];

        const found = learn(new Costs(), spread, msBy(curve)).curve!;

        // What is far slower than the first few is at first not believed, and then slowly forgotten.
        const off = Math.abs(msBy(found)(64) - msBy(curve)(64));
        expect(off).toBeLessThan(msBy(curve)(64) * 0.5);
      }),
    );
  });

  test('is exact where nothing was doubted', () => {
    const found = learn(
      new Costs(),
      Array.from({ length: 50 }, (_, index) => 1 + (index % 8)),
      msBy({ fixedMs: 2, perRowMs: 0.25 }),
    ).curve!;

    expect(found.fixedMs).toBeCloseTo(2, 6);
    expect(found.perRowMs).toBeCloseTo(0.25, 6);
  });

  test('is never negative in any part', () => {
    const noisy = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 64 }), fc.double({ min: 0, max: 100, noNaN: true })),
      {
        maxLength: 60,
      },
    );

    fc.assert(
      fc.property(noisy, batches => {
        const costs = new Costs();
        for (const [index, [rows, ms]] of batches.entries()) costs.learn(rows, ms, index);

        const { curve } = costs;

        if (curve === null) return;
        expect(curve.fixedMs).toBeGreaterThanOrEqual(0);
        expect(curve.perRowMs).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(curve.fixedMs + curve.perRowMs)).toBe(true);
      }),
    );
  });

  test('is not told from batches that are all of about one size, but what they took is', () => {
    for (const about of [() => 32, (index: number) => 31 + (index % 3)]) {
      const costs = learn(
        new Costs(),
        Array.from({ length: 100 }, (_, index) => about(index)),
        () => 5,
      );

      expect(costs.curve).toBeNull();
      expect(costs.expectedMs(32)).toBeCloseTo(5);
    }
  });

  test('is not told from the first few batches', () => {
    expect(learn(new Costs(), [1, 2, 3, 4, 5, 6, 7], () => 1).expectedMs(1)).toBeNull();
  });

  test('hardly moves for one slow batch, the very first included, and follows when all become slow', () => {
    for (const hiccup of [0, 5, 40]) {
      const costs = learn(new Costs(), Array(41).fill(1), (_, index) => (index === hiccup ? 1000 : 1));
      expect(costs.expectedMs(1)).toBeLessThan(1.5);
    }

    const slower = learn(new Costs(), Array(140).fill(1), (_, index) => (index < 40 ? 1 : 10));
    expect(slower.expectedMs(1)).toBeGreaterThan(9);
  });

  test('is fresh for about a second after the last batch, or for some batches of a slow graph', () => {
    const quick = learn(new Costs(), Array(10).fill(1), () => 1);
    expect([9, 500, 1000, 1100].map(now => quick.isFresh(1, now))).toEqual([true, true, true, false]);
    const slow = learn(new Costs(), Array(10).fill(1), () => 500);
    expect([5000, 7000].map(now => slow.isFresh(1, now))).toEqual([true, false]);
    expect(new Costs().isFresh(1, 0)).toBe(false);
  });
});
