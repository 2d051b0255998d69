import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Patience, retryDelayMs } from './patience.ts';

test('patience with one that answered before ends after more than five seconds of silence', () => {
  const { clock, patience } = patient();

  const looks = [2500, 2500, 1].map(ms => {
    clock.ms += ms;
    return patience.isOver(false);
  });

  expect(looks).toEqual([false, false, true]);
});

test('patience with one that is still starting ends after more than thirty seconds', () => {
  const { clock, patience } = patient();

  const looks = [6000, 6000, 18_000, 1].map(ms => {
    clock.ms += ms;
    return patience.isOver(true);
  });

  expect(looks).toEqual([false, false, false, true]);
});

test('a clock that leaps ends no patience: it takes three looks of which none was answered', () => {
  const { clock, patience } = patient();

  clock.ms += 3_600_000;

  expect([1, 2, 3].map(() => patience.isOver(false))).toEqual([false, false, true]);
});

test('any answer gives the whole patience back', () => {
  const { clock, patience } = patient();
  for (const ms of [2000, 2000]) {
    clock.ms += ms;
    patience.isOver(false);
  }

  patience.heard();
  clock.ms += 4999;

  expect([1, 2, 3, 4].map(() => patience.isOver(false))).toEqual([false, false, false, false]);
});

test('crashes are forgiven after a minute alive', () => {
  expect([59_999, 60_000].map(Patience.isForgiven)).toEqual([false, true]);
});

test('retries begin at a quarter of a second, double, and never wait longer than half a minute', () => {
  expect([1, 2, 3, 4].map(retryDelayMs)).toEqual([250, 500, 1000, 2000]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), crashes => {
      expect(retryDelayMs(crashes)).toBeGreaterThanOrEqual(250);
      expect(retryDelayMs(crashes)).toBeLessThanOrEqual(30_000);
      expect(retryDelayMs(crashes + 1)).toBeGreaterThanOrEqual(retryDelayMs(crashes));
    }),
  );
});

function patient() {
  const clock = { ms: 0 };
  const patience = new Patience({ now: () => clock.ms, sleep: async () => {} });
  return { clock, patience };
}
