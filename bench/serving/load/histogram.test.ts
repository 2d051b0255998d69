import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Histogram } from './histogram.ts';

const values = fc.array(fc.double({ min: 0, max: 1e8, noNaN: true }), { minLength: 1, maxLength: 300 });

test('tells each quantile to within one in a hundred of what sorting tells', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (recorded, share) => {
      const histogram = new Histogram();
      for (const value of recorded) histogram.record(value);

      const sorted = recorded.toSorted((a, b) => a - b);
      const want = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!;
      // Below a hundred, whole numbers are what it knows.
      expect(Math.abs(histogram.quantile(share) - want)).toBeLessThanOrEqual(Math.max(0.5, want / 100));
    }),
  );
});

test('two that are added tell what one would that had heard it all', () => {
  fc.assert(
    fc.property(values, values, (some, others) => {
      const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()];
      for (const value of some) one.record(value);
      for (const value of others) other.record(value);
      for (const value of [...some, ...others]) both.record(value);

      one.add(other);

      expect([one.total, one.largest]).toEqual([both.total, both.largest]);
      for (const share of [0, 0.5, 0.99, 1]) expect(one.quantile(share)).toBe(both.quantile(share));
    }),
  );
});

test('knows no quantile of nothing', () => {
  expect(new Histogram().quantile(0.5)).toBeNaN();
});
