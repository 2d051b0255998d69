import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Histogram } from './histogram.ts';

const values = fc.array(
  fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(0.5, 1, 2.5, 10)),
);
const bounds = fc
  .uniqueArray(fc.oneof(fc.double({ min: 0, max: 10, noNaN: true }), fc.constantFrom(0.5, 1, 2.5)), {
    maxLength: 12,
  })
  .map(list => Float64Array.from(list.toSorted((a, b) => a - b)));

test('each bound has as many values at or below it as counting them one by one finds', () => {
  fc.assert(
    fc.property(bounds, values, (upper, observed) => {
      const histogram = new Histogram(upper);
      for (const value of observed) histogram.observe(value);

      let seen = 0;
      for (const [index, bound] of upper.entries()) {
        seen += histogram.counts[index]!;
        expect(seen).toBe(observed.filter(value => value <= bound).length);
      }
      expect(histogram.count).toBe(observed.length);
      expect(histogram.sum).toBeCloseTo(
        observed.reduce((sum, value) => sum + value, 0),
        6,
      );
    }),
  );
});
