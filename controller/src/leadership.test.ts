import { expect, test } from 'vitest';
import { heldClock } from './held-clock.fixture.ts';
import { Leadership } from './leadership.ts';
import { memoryLedger } from './ledger/memory/index.ts';
import { until } from './loop.fixture.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('a second controller is told who leads, and for how long', async () => {
  const ledger = memoryLedger();
  const { clock } = heldClock(1_760_000_000_000);
  await using _first = await Leadership.take({ ledger, holder: 'one', clock, log: silent });

  await expect(Leadership.take({ ledger, holder: 'two', clock, log: silent })).rejects.toThrow(/one.*15 s/s);
});

test('a lease that could not be renewed in time gives no epoch, even before another takes it', async () => {
  const ledger = memoryLedger();
  const { clock } = heldClock(1_760_000_000_000);
  await using leadership = await Leadership.take({ ledger, holder: 'one', clock, log: silent });
  expect(leadership.epoch()).not.toBeNull();

  clock.at += 15_001;

  expect(leadership.epoch()).toBeNull();
});

test('a renewed lease keeps its epoch; one that another took is lost for good', async () => {
  const ledger = memoryLedger();
  const { clock, sleeps } = heldClock(1_760_000_000_000);
  await using leadership = await Leadership.take({ ledger, holder: 'one', clock, log: silent });
  const epoch = leadership.epoch();

  clock.at += 10_000;
  sleeps[0]?.end();
  // The renewal rests again once it is through.
  await until(() => sleeps.length === 2);
  clock.at += 14_000;
  expect(leadership.epoch()).toBe(epoch);

  clock.at += 5_000;
  expect(await ledger.acquire('two', 60_000, clock.at)).toMatchObject({ kind: 'acquired' });
  sleeps[1]?.end();
  await until(() => leadership.epoch() === null);
});

test('a ledger that can not be written at the end is told of, and does not hold up the end', async () => {
  const ledger = memoryLedger();
  const { clock } = heldClock(1_760_000_000_000);
  const told: unknown[] = [];
  const log = { ...silent, warn: (fields: object) => void told.push(fields) };
  const away = { ...ledger, release: () => Promise.reject(new Error('the database is away')) };
  const leadership = await Leadership.take({ ledger: away, holder: 'one', clock, log });

  await leadership[Symbol.asyncDispose]();

  expect(told).toEqual([{ reason: 'the database is away' }]);
});

test('the next life of the same controller need not wait for the old lease', async () => {
  const ledger = memoryLedger();
  const { clock } = heldClock(1_760_000_000_000);
  await Leadership.take({ ledger, holder: 'one', clock, log: silent });

  await using again = await Leadership.take({ ledger, holder: 'one', clock, log: silent });

  expect(again.epoch()).not.toBeNull();
});
