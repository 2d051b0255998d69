import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Candidate, choose, faded, lighter, smoothed } from './balance.ts';

interface Runtime extends Candidate {
  id: number;
  isTaking: boolean;
}

const runtimes = fc
  .array(
    fc.record({
      outstanding: fc.nat(20),
      latencyMs: fc.constantFrom(0, 1, 2, 5, 50),
      isTaking: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map(found => found.map((each, id): Runtime => ({ ...each, id, takes: () => each.isTaking })));
const randoms = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
const from =
  (stream: Iterator<number>): (() => number) =>
  () =>
    stream.next().value;

describe('the choice of a runtime', () => {
  test('is one that takes the request and is not excepted, and none only if there is none', () => {
    fc.assert(
      fc.property(runtimes, randoms, fc.nat(8), (all, stream, exceptId) => {
        const except = all[exceptId] ?? null;
        const able = all.filter(each => each !== except && each.isTaking);

        const chosen = choose(all, { subject: 'a', now: 0, except }, from(stream));

        if (able.length === 0) expect(chosen).toBeNull();
        else expect(able).toContain(chosen);
      }),
    );
  });

  test('is never the one with the most to do while all take requests and differ', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(50), { minLength: 2, maxLength: 8 }), randoms, (loads, stream) => {
        const all = loads.map((outstanding, id) => ({
          id,
          outstanding,
          latencyMs: 0,
          isTaking: true,
          takes: () => true,
        }));

        const chosen = choose(all, { subject: null, now: 0, except: null }, from(stream));

        expect(chosen!.outstanding).toBeLessThan(Math.max(...loads));
      }),
    );
  });

  test('keeps the loads of equal runtimes together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 2 ** 31 - 2 }), (count, seed) => {
        const random = evenly(seed);
        const all = Array.from({ length: count }, () => ({
          outstanding: 0,
          latencyMs: 1,
          takes: () => true,
        }));

        for (let index = 0; index < count * 100; index++)
          choose(all, { subject: null, now: 0, except: null }, random)!.outstanding++;

        // By one choice alone the most loaded of eight would be some 25 above the mean.
        for (const { outstanding } of all) expect(Math.abs(outstanding - 100)).toBeLessThanOrEqual(10);
      }),
      { numRuns: 50 },
    );
  });

  test('falls on the faster of two with as much to do only when it is much faster', () => {
    const runtime = (outstanding: number, latencyMs: number): Candidate => ({
      outstanding,
      latencyMs,
      takes: () => true,
    });
    const slow = runtime(1, 9);
    const quick = runtime(1, 4);
    const alike = runtime(1, 8);

    expect(lighter(slow, quick)).toBe(quick);
    expect(lighter(slow, alike)).toBe(slow);
    expect(lighter(runtime(1, 1), runtime(0, 50)).outstanding).toBe(0);
  });
});

test('a latency is smoothed, and forgotten when nothing is heard', () => {
  expect(smoothed(0, 8)).toBe(8);
  expect(smoothed(10, 20)).toBe(11);
  expect(faded(8, 0)).toBe(8);
  expect(faded(8, 1000)).toBe(4);
});

/** Park and Miller's minimal standard. */
function evenly(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
