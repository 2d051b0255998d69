import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOOKS, RETRIES, RetryBudget } from './retry-budget.ts';

/** What happens, in the order of its time. */
const history = fc
  .array(
    fc.record({ afterMs: fc.nat(1500), isRetry: fc.boolean(), times: fc.integer({ min: 1, max: 40 }) }),
    {
      maxLength: 60,
    },
  )
  .map(steps => {
    let now = 0;
    return steps.map(({ afterMs, ...step }) => {
      now += afterMs;
      return { ...step, now };
    });
  });

test('gives a quiet environment three retries a second, and no more', () => {
  const budget = new RetryBudget(RETRIES);

  const first = Array.from({ length: 40 }, () => budget.take(5000));
  const later = Array.from({ length: 40 }, () => budget.take(15_000));

  expect(first.filter(Boolean)).toHaveLength(30);
  expect(later.filter(Boolean)).toHaveLength(30);
});

test('gives a busy one a tenth of its requests besides', () => {
  const budget = new RetryBudget(RETRIES);
  for (let index = 0; index < 1000; index++) budget.request(5000 + index);

  const given = Array.from({ length: 500 }, () => budget.take(6000)).filter(Boolean);

  expect(given).toHaveLength(130);
});

test('of what nobody is known to serve, one a second is looked for, however much is asked', () => {
  const budget = new RetryBudget(LOOKS);
  for (let index = 0; index < 1000; index++) budget.request(5000 + index);

  const given = Array.from({ length: 40 }, () => budget.take(6000)).filter(Boolean);

  expect(given).toHaveLength(10);
});

test('never gives more in any ten whole seconds than a tenth of their requests and thirty', () => {
  fc.assert(
    fc.property(history, steps => {
      const budget = new RetryBudget(RETRIES);
      const requests: number[] = [];
      const retries: number[] = [];

      for (const { now, isRetry, times } of steps)
        for (let time = 0; time < times; time++) {
          if (!isRetry) {
            budget.request(now);
            requests.push(now);
            continue;
          }
          const within = (at: number): boolean => Math.floor(at / 1000) > Math.floor(now / 1000) - 10;
          const most = 30 + requests.filter(within).length / 10;
          const isGiven = budget.take(now);
          expect(isGiven).toBe(retries.filter(within).length + 1 <= most + 1e-9);
          if (isGiven) retries.push(now);
        }
    }),
    { numRuns: 100 },
  );
});
