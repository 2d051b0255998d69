import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Slice } from './analysis.ts';
import { addSlice, LONG_WINDOW_MS, over, SHORT_WINDOW_MS } from './slices.ts';

const one = { candidate: { bad: 1, total: 2 }, stable: { bad: 0, total: 3 } };
const MINUTE = 60_000;

test('adds up what falls into the same ten seconds', () => {
  const slices = addSlice(addSlice([], one, 12_000), one, 19_999);

  expect(slices).toEqual([{ from: 10_000, candidate: { bad: 2, total: 4 }, stable: { bad: 0, total: 6 } }]);
});

test('sums a window, and nothing older', () => {
  const slices = [0, 4, 8, 9].reduce<Slice[]>((all, m) => addSlice(all, one, m * MINUTE), []);

  expect(over(slices, SHORT_WINDOW_MS, 10 * MINUTE).candidate).toEqual({ bad: 2, total: 4 });
  expect(over(slices, LONG_WINDOW_MS, 10 * MINUTE).candidate).toEqual({ bad: 4, total: 8 });
});

test('stays bounded and in order over days of looks, and keeps the last hour whole', () => {
  let slices: Slice[] = [];
  for (let second = 0; second <= 6 * 3600; second += 5) slices = addSlice(slices, one, second * 1000);

  expect(slices.length).toBeLessThan(110);
  expect(slices.every(({ from }, i) => i === 0 || slices[i - 1]!.from < from)).toBe(true);
  expect(over(slices, LONG_WINDOW_MS, 6 * 3600 * 1000).candidate.total / 2).toBeGreaterThan(700);
  expect(over(slices, LONG_WINDOW_MS, 6 * 3600 * 1000).candidate.total / 2).toBeLessThanOrEqual(722);
});

test('loses no event of the last hour, whatever the clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000_000 }), { maxLength: 60 }), instants => {
      const slices = instants.reduce<Slice[]>((all, now) => addSlice(all, one, now), []);

      expect(slices.reduce((sum, { candidate }) => sum + candidate.total, 0)).toBe(2 * instants.length);
      expect(slices.every(({ from }, i) => i === 0 || slices[i - 1]!.from < from)).toBe(true);
    }),
  );
});
