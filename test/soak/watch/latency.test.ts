import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addLatency, type Latencies, quantile } from './latency.ts';

function counted(values: readonly number[]): Latencies {
  const latencies: Latencies = new Map();
  for (const value of values) addLatency(latencies, value);
  return latencies;
}

test('a quantile is what a sorted list would say, over several counts', () => {
  const values = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(values, values, fc.constantFrom(0.5, 0.9, 0.99, 1), (one, other, share) => {
      const sorted = [...one, ...other].toSorted((a, b) => a - b);
      expect(quantile([counted(one), counted(other)], share)).toBe(
        sorted[Math.ceil(share * sorted.length) - 1],
      );
    }),
  );
});

test('what is long is kept to two digits', () => {
  expect(quantile([counted([1234])], 0.5)).toBe(1200);
  expect(quantile([counted([99.6])], 0.5)).toBe(100);
});

test('of nothing there is no quantile', () => {
  expect(quantile([], 0.5)).toBeNull();
});
