import { expect, test } from 'vitest';
import { heldClock } from './held-clock.fixture.ts';
import { until } from './loop.fixture.ts';
import { Schedule } from './schedule.ts';

test('rests after a pass, then waits until the pass wants to be run again', async () => {
  const { clock, sleeps } = heldClock();
  let passes = 0;
  await using schedule = new Schedule({
    pass: async () => {
      passes += 1;
      return 1000;
    },
    clock,
    restMs: 25,
  });
  schedule.start();

  await until(() => sleeps.length === 1);
  sleeps[0]?.end();
  await until(() => sleeps.length === 2);

  expect(sleeps.map(({ ms }) => ms)).toEqual([25, 975]);
  expect(passes).toBe(1);
  sleeps[1]?.end();
  await until(() => passes === 2);
});

test('a nudge during the wait runs the next pass at once; many nudges are one', async () => {
  const { clock, sleeps } = heldClock();
  let passes = 0;
  await using schedule = new Schedule({
    pass: async () => {
      passes += 1;
      return 1000;
    },
    clock,
    restMs: 25,
  });
  schedule.start();
  await until(() => sleeps.length === 1);
  sleeps[0]?.end();
  await until(() => sleeps.length === 2);

  for (let i = 0; i < 10; i++) schedule.nudge();
  await until(() => sleeps.length === 3);

  expect(passes).toBe(2);
});

test('a nudge while a pass runs is not lost', async () => {
  const { clock, sleeps } = heldClock();
  let passes = 0;
  const running = Promise.withResolvers<void>();
  const pass = async () => {
    passes += 1;
    if (passes === 1) await running.promise;
    return 1000;
  };
  await using schedule = new Schedule({ pass, clock, restMs: 25 });
  schedule.start();
  await until(() => passes === 1);

  schedule.nudge();
  running.resolve();
  await until(() => sleeps.length === 1);
  sleeps[0]?.end();
  await until(() => passes === 2);
});
