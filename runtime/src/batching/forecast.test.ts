import { expect, test } from 'vitest';
import { Forecast } from './forecast.ts';

/** After some dozens of batches of all sizes, each as dear as that. */
function taught(fixedMs: number, perRowMs: number): Forecast {
  const forecast = new Forecast({ limits: { maxBatch: 64, timeoutMs: 5000 }, waitMs: 0 });
  for (let batch = 0; batch < 60; batch++) {
    const rows = 1 + ((batch * 7) % 16);
    forecast.answered(rows, fixedMs + perRowMs * rows, batch);
  }
  return forecast;
}

test('a queue that keeps engines busy is no more than a few milliseconds of work for each of them', () => {
  const [dear, slow, light] = [taught(5, 1), taught(0.5, 30), taught(0.2, 0.01)];

  expect([1, 2].map(engines => dear.busyRows(engines))).toEqual([4, 8]);
  expect(slow.busyRows(1)).toBeGreaterThanOrEqual(1);
  expect(slow.busyRows(1)).toBeLessThanOrEqual(2);
  expect(light.busyRows(1)).toBe(64);
});
