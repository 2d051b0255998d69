import fc from 'fast-check';
import { expect, test } from 'vitest';
import { incompleteBeta } from './incomplete-beta.ts';

test.each([
  // sums of binomial terms, by hand
  { x: 0.5, a: 2, b: 3, value: 11 / 16 },
  { x: 0.2, a: 1, b: 1, value: 0.2 },
  { x: 0.3, a: 3, b: 2, value: 0.0837 },
  { x: 0.9, a: 10, b: 1, value: 0.9 ** 10 },
  // the arcsine law: 2/π asin(√x)
  { x: 0.25, a: 0.5, b: 0.5, value: 1 / 3 },
])('is $value at $x for $a and $b', ({ x, a, b, value }) => {
  expect(incompleteBeta(x, a, b)).toBeCloseTo(value, 12);
});

test('is zero at 0 and one at 1', () => {
  expect([incompleteBeta(0, 3, 4), incompleteBeta(1, 3, 4)]).toEqual([0, 1]);
});

test('is the upper tail of a binomial', () => {
  const probability = fc.double({ min: 0.001, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(59), probability, (n, below, p) => {
      const k = Math.min(n, below + 1);

      expect(incompleteBeta(p, k, n - k + 1)).toBeCloseTo(upperTail(k, n, p), 10);
    }),
  );
});

test('mirrors itself', () => {
  const shape = fc.double({ min: 0.5, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), shape, shape, (x, a, b) => {
      expect(incompleteBeta(x, a, b) + incompleteBeta(1 - x, b, a)).toBeCloseTo(1, 9);
    }),
  );
});

test('agrees with the normal law for very many events', () => {
  const n = 4_000_000;

  // two standard deviations above the mean of a fair coin; 0.02275 is the normal tail beyond two
  expect(incompleteBeta(0.5, n / 2 + 2000, n / 2 - 2000 + 1)).toBeCloseTo(0.02275, 4);
});

function upperTail(k: number, n: number, p: number): number {
  let term = (1 - p) ** n;
  let sum = k === 0 ? term : 0;
  for (let i = 1; i <= n; i++) {
    term *= ((n - i + 1) / i) * (p / (1 - p));
    if (i >= k) sum += term;
  }
  return sum;
}
