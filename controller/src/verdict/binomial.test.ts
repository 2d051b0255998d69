import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSurelyAbove, isSurelyBelow } from './binomial.ts';

/** Two-sided 95 % Clopper-Pearson limits to four digits: Newcombe, Statistics in Medicine 17 (1998), table I. */
const PUBLISHED = [
  { bad: 81, total: 263, lower: 0.2527, upper: 0.3676 },
  { bad: 15, total: 148, lower: 0.0578, upper: 0.1617 },
  { bad: 1, total: 29, lower: 0.0009, upper: 0.1776 },
  { bad: 0, total: 20, lower: null, upper: 0.1684 },
];
const ROUNDING = 0.00006;

test.each(PUBLISHED)('finds the published limits of $bad in $total', ({ bad, total, lower, upper }) => {
  const seen = { bad, total };

  expect(isSurelyBelow(seen, upper + ROUNDING, 0.975)).toBe(true);
  expect(isSurelyBelow(seen, upper - ROUNDING, 0.975)).toBe(false);
  expect(isSurelyAbove(seen, (lower ?? 0) + ROUNDING, 0.975)).toBe(false);
  expect(isSurelyAbove(seen, (lower ?? 1) - ROUNDING, 0.975)).toBe(lower !== null);
});

test('needs 2,995 good answers in a row to be sure of less than one bad in a thousand', () => {
  expect(isSurelyBelow({ bad: 0, total: 2995 }, 0.001, 0.95)).toBe(true);
  expect(isSurelyBelow({ bad: 0, total: 2994 }, 0.001, 0.95)).toBe(false);
});

test('is sure of nothing without events', () => {
  expect(isSurelyAbove({ bad: 0, total: 0 }, 0.001, 0.5)).toBe(false);
  expect(isSurelyBelow({ bad: 0, total: 0 }, 0.999, 0.5)).toBe(false);
});

test('is never sure of both sides, nor of what is impossible', () => {
  const counts = fc
    .integer({ min: 1, max: 5000 })
    .chain(total => fc.record({ bad: fc.nat(total), total: fc.constant(total) }));
  fc.assert(
    fc.property(counts, fc.double({ min: 0, max: 1, noNaN: true }), (seen, share) => {
      expect(isSurelyAbove(seen, share, 0.95) && isSurelyBelow(seen, share, 0.95)).toBe(false);
      expect(isSurelyAbove(seen, 1, 0.95)).toBe(false);
      expect(isSurelyBelow(seen, 0, 0.95)).toBe(false);
    }),
  );
});
