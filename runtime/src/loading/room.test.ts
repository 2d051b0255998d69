import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settled, steppedClock } from '../clock.fixture.ts';
import type { Sleeper } from './eviction.ts';
import { type Entry, type Place, Room, type Tenant } from './room.ts';

const MIB = 2 ** 20;
/** What a blank spare engine counts until one was measured. */
const SPARE = 64 * MIB;

interface Lodger extends Tenant {
  traits: Partial<Sleeper>;
  place: Place | null;
  sleeps: number;
  /** Its engine goes as soon as it is told to; else when `leave` is called. */
  leave(): void;
}

function lodger(traits: Partial<Sleeper> = {}, goesAtOnce = true): Lodger {
  const one: Lodger = {
    weight: 100,
    traits,
    place: null,
    sleeps: 0,
    sleeper: bytes =>
      one.place === null
        ? null
        : { worth: 0, weight: 100, isPinned: false, notBefore: 0, awakeSince: 0, ...traits, bytes },
    fallAsleep() {
      one.sleeps++;
      if (goesAtOnce) one.leave();
    },
    leave() {
      const { place } = one;
      one.place = null;
      place?.leave();
    },
  };
  return one;
}

function roomOf(engines: number) {
  const clock = steppedClock();
  const room = new Room(SPARE + engines * 10 * MIB, clock);
  const leaving = new AbortController();
  const enter = async (tenant: Lodger, by: Partial<Entry> = {}): Promise<void> => {
    const entry: Entry = {
      tenant,
      urgency: 'outage',
      knownBytes: 10 * MIB,
      fileBytes: 2 * MIB,
      below: Number.POSITIVE_INFINITY,
      mayExceed: false,
      ...by,
    };
    tenant.place = await room.enter(entry, leaving.signal);
  };
  return { room, clock, enter, leaving };
}

test('who fits is let in at once, and who does not waits until another has left', async () => {
  const { room, enter } = roomOf(2);
  const [a, b, c] = [lodger(), lodger({}, false), lodger()];
  await enter(a);
  await enter(b);

  b.traits.worth = -1;
  const entering = enter(c);
  await settled();
  expect(c.place).toBeNull();
  expect(b.sleeps).toBe(1);

  b.leave();
  await entering;
  expect(room.state).toMatchObject({ heldBytes: SPARE + 20 * MIB, evictions: 1 });
});

test('nobody sleeps who is worth as much as the newcomer offers', async () => {
  const { clock, enter } = roomOf(1);
  const [old, newcomer] = [lodger({ worth: 5 }), lodger()];
  await enter(old);

  void enter(newcomer, { below: 5 });
  await clock.advance(60_000);

  expect(old.sleeps).toBe(0);
  old.traits.worth = 4;
  await clock.advance(1000);
  expect(newcomer.place).not.toBeNull();
});

test('who is busy until a time sleeps then, without anybody asking', async () => {
  const { clock, enter } = roomOf(1);
  const [busy, newcomer] = [lodger({ notBefore: 250 }), lodger()];
  await enter(busy);

  const entering = enter(newcomer);
  await clock.advance(249);
  expect(busy.sleeps).toBe(0);
  await clock.advance(1);

  await entering;
  expect(busy.sleeps).toBe(1);
});

test('one that may exceed the budget is let in beside those who are pinned, and a second one is not', async () => {
  const { clock, room, enter } = roomOf(1);
  const [pinned, first, second] = [1, 2, 3].map(() => lodger({ isPinned: true }));
  await enter(pinned!);

  await enter(first!, { mayExceed: true });
  void enter(second!, { mayExceed: true });
  await clock.advance(60_000);

  expect(second!.place).toBeNull();
  expect(room.state.heldBytes).toBe(SPARE + 20 * MIB);
  expect(pinned!.sleeps).toBe(0);
});

test('one larger than the whole budget is let in alone', async () => {
  const { enter } = roomOf(2);
  const [a, b, large] = [lodger(), lodger(), lodger()];
  await enter(a);
  await enter(b);

  await enter(large, { knownBytes: 500 * MIB });

  expect([a.sleeps, b.sleeps, large.place !== null]).toEqual([1, 1, true]);
});

test('what grows beyond the budget makes another sleep, the least worth', async () => {
  const { room, enter } = roomOf(3);
  const all = [3, 1, 2].map(worth => lodger({ worth }));
  for (const one of all) await enter(one);

  all[0]!.place!.loaded(10 * MIB, 1);
  all[0]!.place!.measured(15 * MIB);

  expect(all.map(({ sleeps }) => sleeps)).toEqual([0, 1, 0]);
  expect(room.state.heldBytes).toBe(SPARE + 25 * MIB);
});

test('the more urgent goes first, and whoever gives up is not waited for', async () => {
  const { clock, room, enter } = roomOf(1);
  const [old, patient, urgent, gone] = [lodger({ isPinned: true }), lodger(), lodger(), lodger()];
  await enter(old);
  const giveUp = new AbortController();
  const entry = {
    tenant: gone,
    urgency: 'outage',
    knownBytes: MIB,
    fileBytes: 2 * MIB,
    below: 0,
    mayExceed: false,
  } as const;
  const left = room.enter(entry, giveUp.signal);
  void enter(patient, { urgency: 'first' });
  void enter(urgent);
  giveUp.abort();
  await left;

  old.leave();
  await clock.advance(0);

  expect([urgent.place !== null, patient.place]).toEqual([true, null]);
});

test('whoever comes and goes: the budget is exceeded by one load at most, and nobody pinned sleeps', async () => {
  const step = fc.record({
    who: fc.nat(11),
    what: fc.constantFrom('enter', 'exceed', 'leave', 'wait'),
    mib: fc.integer({ min: 1, max: 40 }),
    worth: fc.nat(5),
    isPinned: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
      const { clock, room, enter, leaving } = roomOf(6);
      const all = Array.from({ length: 12 }, () => lodger());
      const waiting = new Set<Lodger>();
      let largest = 0;
      for (const { who, what, mib, worth, isPinned } of steps) {
        const one = all[who]!;
        if (what === 'leave') one.leave();
        else if (what === 'wait') await clock.advance(1000);
        else if (one.place === null && !waiting.has(one)) {
          Object.assign(one.traits, { worth, isPinned });
          largest = Math.max(largest, mib * MIB);
          waiting.add(one);
          void enter(one, { knownBytes: mib * MIB, mayExceed: what === 'exceed' }).then(() =>
            waiting.delete(one),
          );
        }
        await settled();

        const { heldBytes, budgetBytes } = room.state;
        expect(heldBytes).toBeLessThanOrEqual(budgetBytes + largest);
        expect(all.every(({ sleeps, traits }) => traits.isPinned !== true || sleeps === 0)).toBe(true);
        for (const other of all) other.sleeps = 0;
      }
      leaving.abort();
      for (const one of all) one.leave();
      await settled();
      expect(room.state.heldBytes).toBe(SPARE);
    }),
    { numRuns: 60 },
  );
});

test('of engines whose size nobody knows one is let in, until it was looked at when it was blank', async () => {
  const { room, enter } = roomOf(20);
  const all = [1, 2, 3, 4, 5].map(() => lodger());
  const places = () => all.filter(({ place }) => place !== null).length;
  for (const one of all) void enter(one, { knownBytes: null, fileBytes: 0 });
  await settled();
  expect(places()).toBe(1);

  all[0]!.place!.started(20 * MIB);
  await settled();

  expect(places()).toBe(5);
  expect(room.state.heldBytes).toBe(120 * MIB);
});

test('what has not been loaded yet is expected to take what those before it took', async () => {
  const { room, enter } = roomOf(4);
  const [first, second] = [lodger(), lodger()];
  const small = { knownBytes: null, fileBytes: 0 };
  await enter(first, small);
  first.place!.started(20 * MIB);
  await enter(second, small);
  expect(room.state.heldBytes).toBe(60 * MIB);

  // What is measured on the way there is not what it will hold.
  second.place!.measured(20 * MIB);
  first.place!.loaded(35 * MIB, 1);

  expect(room.state.heldBytes).toBe((20 + 35 + 35) * MIB);
});

test('where all others are asked all the time, a new version waits a while and is then let in beside them', async () => {
  const { clock, enter } = roomOf(2);
  const busy = [1, 2].map(() => lodger({ notBefore: Number.POSITIVE_INFINITY }));
  for (const one of busy) await enter(one);
  const [waking, another, fresh] = [lodger(), lodger(), lodger({ isPinned: true })];
  void enter(waking);
  void enter(another, { urgency: 'another' });
  void enter(fresh, { urgency: 'first' });

  await clock.advance(4000);
  expect(fresh.place).toBeNull();
  await clock.advance(2000);

  expect([fresh.place !== null, waking.place, another.place]).toEqual([true, null, null]);
  expect(busy.map(({ sleeps }) => sleeps)).toEqual([0, 0]);
});
