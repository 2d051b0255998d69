import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settled, steppedClock } from '../clock.fixture.ts';
import { Turns, type Urgency } from './turns.ts';

const forever = new AbortController().signal;

test('no more have a turn at once than may, the most urgent first, and each gets one', async () => {
  const urgency = fc.constantFrom<Urgency>('outage', 'first', 'another', 'spare');

  await fc.assert(
    fc.asyncProperty(
      fc.array(urgency, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (all, atOnce) => {
        const turns = new Turns({ atOnce, clock: steppedClock() });
        const begun: { urgency: Urgency; end: () => void }[] = [];
        const taken = all.map(async one => {
          begun.push({ urgency: one, end: await turns.take(one, forever) });
        });
        await settled();
        expect(begun).toHaveLength(Math.min(atOnce, all.length));
        const first = begun.length;

        for (let index = 0; index < begun.length; index++) {
          begun[index]!.end();
          begun[index]!.end();
          await settled();
          expect(begun.length).toBe(Math.min(all.length, first + index + 1));
        }
        await Promise.all(taken);

        const order = ['outage', 'first', 'another', 'spare'];
        const later = begun.slice(first).map(one => order.indexOf(one.urgency));
        expect(later).toEqual(later.toSorted((a, b) => a - b));
      },
    ),
  );
});

test('whoever takes too long does not count any more', async () => {
  const clock = steppedClock();
  const turns = new Turns({ atOnce: 1, clock });
  const end = await turns.take('first', forever);
  let isBegun = false;
  const next = turns.take('first', forever).then(endNext => {
    isBegun = true;
    return endNext;
  });

  await clock.advance(1900);
  expect(isBegun).toBe(false);
  await clock.advance(100);
  expect(isBegun).toBe(true);

  end();
  let isThird = false;
  void turns.take('first', forever).then(() => {
    isThird = true;
  });
  await settled();
  expect(isThird).toBe(false);
  (await next)();
  await settled();
  expect(isThird).toBe(true);
});

test('whoever gives up waiting takes nobody’s turn', async () => {
  const turns = new Turns({ atOnce: 1, clock: steppedClock() });
  const end = await turns.take('first', forever);
  const abort = new AbortController();
  const givenUp = turns.take('outage', abort.signal);

  abort.abort();
  (await givenUp)();
  end();

  (await turns.take('spare', forever))();
  (await turns.take('spare', AbortSignal.abort()))();
});

test('who has waited long goes before the more urgent, one at a time', async () => {
  const clock = steppedClock();
  const turns = new Turns({ atOnce: 1, clock });
  let end = await turns.take('outage', forever);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const wait = (urgency: Urgency, name: string): void => {
    void turns.take(urgency, forever).then(next => {
      begun.push(name);
      ends.push(next);
    });
  };
  wait('first', 'a new version');
  wait('first', 'another new version');
  wait('spare', 'the spare');
  // Each ends in time, and there is always another to wake.
  for (let second = 0; second < 7; second++) {
    wait('outage', `wake ${second}`);
    await clock.advance(1000);
    end();
    await settled();
    end = ends.at(-1)!;
  }

  expect(begun).toEqual(['wake 0', 'wake 1', 'wake 2', 'wake 3', 'a new version', 'wake 4', 'wake 5']);
});
