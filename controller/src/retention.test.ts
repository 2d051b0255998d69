import { expect, test } from 'vitest';
import { heldClock } from './held-clock.fixture.ts';
import { memoryLedger } from './ledger/memory/index.ts';
import type { Log } from './log.ts';
import { until } from './loop.fixture.ts';
import { Retention } from './retention.ts';

const DAY = 24 * 60 * 60_000;
const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('events older than they are kept for go, at start and every six hours', async () => {
  await using ledger = memoryLedger();
  const acquired = await ledger.acquire('test', 1e12, 0);
  const epoch = acquired.kind === 'acquired' ? acquired.lease.epoch : 0;
  const event = (at: number) => ({
    ...{ at, type: 'commit.seen' as const, subject: 'controller', actor: 'controller', data: {} },
  });
  await ledger.advance({ epoch, at: 0, events: [event(0), event(DAY), event(2 * DAY)] });
  const { clock, sleeps } = heldClock(1.5 * DAY);

  await using _retention = new Retention({ ledger, epoch: () => epoch, eventsMs: DAY, clock, log });
  await until(() => sleeps.length === 1);
  const first = await ledger.events({ limit: 10 });
  clock.at += sleeps[0]?.ms ?? 0;
  sleeps[0]?.end();
  await until(() => sleeps.length === 2);
  const afterSixHours = await ledger.events({ limit: 10 });
  clock.at += DAY;
  sleeps[1]?.end();
  await until(() => sleeps.length === 3);
  const later = await ledger.events({ limit: 10 });

  expect(first.map(({ seq }) => seq)).toEqual([2, 3]);
  expect(afterSixHours.map(({ seq }) => seq)).toEqual([2, 3]);
  expect(later.map(({ seq }) => seq)).toEqual([3]);
});

test('without the lease nothing is forgotten', async () => {
  let asked = 0;
  const ledger = { forgetEvents: async () => ++asked };
  const { clock, sleeps } = heldClock(DAY);

  await using _retention = new Retention({ ledger, epoch: () => null, eventsMs: DAY, clock, log });
  await until(() => sleeps.length === 1);

  expect(asked).toBe(0);
});
