import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evict, type Sleeper } from './eviction.ts';

const sleeper = (changes: Partial<Sleeper> = {}): Sleeper => ({
  bytes: 10,
  worth: 1,
  weight: 100,
  isPinned: false,
  notBefore: 0,
  awakeSince: 0,
  ...changes,
});
const anybody = Number.POSITIVE_INFINITY;

test('who is worth least sleeps first, and no more than have to', () => {
  const [least, middle, most] = [1, 2, 3].map(worth => sleeper({ worth }));

  expect(evict({ bytes: 10, below: anybody }, [most!, least!, middle!], 0)).toEqual({
    kind: 'sleep',
    all: [least],
  });
  expect(evict({ bytes: 11, below: anybody }, [most!, least!, middle!], 0)).toEqual({
    kind: 'sleep',
    all: [least, middle],
  });
});

test('a large one that frees enough alone lets a smaller one, worth less, stay', () => {
  const small = sleeper({ worth: 1, bytes: 5 });
  const large = sleeper({ worth: 2, bytes: 100 });

  expect(evict({ bytes: 50, below: anybody }, [small, large], 0)).toEqual({ kind: 'sleep', all: [large] });
});

test('of those whom nobody asks, the smaller share of traffic sleeps first, then whoever woke last', () => {
  const shared = [0, 100, 100].map((weight, index) => sleeper({ worth: 0, weight, awakeSince: index }));
  const [canary, early, late] = shared as [Sleeper, Sleeper, Sleeper];

  expect(evict({ bytes: 20, below: anybody }, [early, late, canary], 9)).toEqual({
    kind: 'sleep',
    all: [canary, late],
  });
});

test('it is said when waiting will help, and that it will not where all are pinned', () => {
  const soon = sleeper({ notBefore: 30 });
  const later = sleeper({ notBefore: 70 });

  expect(evict({ bytes: 20, below: anybody }, [later, soon], 10)).toEqual({ kind: 'wait', until: 70 });
  expect(evict({ bytes: 10, below: anybody }, [sleeper({ isPinned: true })], 10)).toEqual({
    kind: 'wait',
    until: null,
  });
});

const anySleeper = fc.record({
  bytes: fc.integer({ min: 1, max: 1000 }),
  worth: fc.integer({ min: 0, max: 20 }),
  weight: fc.constantFrom(0, 5, 100),
  isPinned: fc.boolean(),
  notBefore: fc.integer({ min: 0, max: 100 }),
  awakeSince: fc.integer({ min: 0, max: 100 }),
});

test('whatever is awake: enough is freed by those who may sleep, none of them for nothing, or it can not be', () => {
  fc.assert(
    fc.property(
      fc.array(anySleeper, { maxLength: 30 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 0, max: 25 }),
      (awake, bytes, below) => {
        const now = 50;
        const may = awake.filter(one => !one.isPinned && one.notBefore <= now && one.worth < below);
        const freeable = may.reduce((sum, one) => sum + one.bytes, 0);

        const found = evict({ bytes, below }, awake, now);

        expect(found.kind).toBe(freeable >= bytes ? 'sleep' : 'wait');
        if (found.kind === 'wait') return;
        const freed = found.all.reduce((sum, one) => sum + one.bytes, 0);
        expect(found.all.every(one => may.includes(one))).toBe(true);
        expect(freed).toBeGreaterThanOrEqual(bytes);
        for (const one of found.all) expect(freed - one.bytes).toBeLessThan(bytes);
      },
    ),
  );
});

test('whatever is awake: among equals in size, whoever stays is worth no less than whoever sleeps', () => {
  const equals = anySleeper.map(one => ({ ...one, bytes: 10, isPinned: false, notBefore: 0 }));
  fc.assert(
    fc.property(fc.array(equals, { minLength: 1, maxLength: 30 }), fc.nat(299), (awake, bytes) => {
      const found = evict({ bytes: Math.min(bytes + 1, awake.length * 10), below: anybody }, awake, 0);

      if (found.kind === 'wait') throw new Error('there was enough to be freed');
      const stay = awake.filter(one => !found.all.includes(one));
      const most = Math.max(...found.all.map(({ worth }) => worth));
      for (const { worth } of stay) expect(worth).toBeGreaterThanOrEqual(most);
    }),
  );
});
