import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AfterCrash, afterCrash, type Life, NO_CRASHES } from './crash-policy.ts';

const USELESS: Life = { upMs: 0, answers: 0 };
const MINUTE = 60_000;

function crashAt(instants: readonly number[], life = USELESS, random = 1): AfterCrash[] {
  let history = NO_CRASHES;
  return instants.map(at => {
    const next = afterCrash(history, life, at, random);
    history = next.history;
    return next;
  });
}

/** Crashes at each start, tried again exactly when the policy says so. */
function loop(times: number): AfterCrash[] {
  let history = NO_CRASHES;
  let now = 0;
  return Array.from({ length: times }, () => {
    const next = afterCrash(history, USELESS, now, 1);
    history = next.history;
    now += next.afterMs;
    return next;
  });
}

test('a single crash is replaced at once', () => {
  expect(crashAt([0])).toMatchObject([{ kind: 'replace', afterMs: 0 }]);
});

test('crashes in a row wait double, and the fifth within a minute brings a rest', () => {
  expect(crashAt([0, 1000, 2000, 3000, 4000])).toMatchObject([
    { kind: 'replace', afterMs: 0 },
    { kind: 'replace', afterMs: 100 },
    { kind: 'replace', afterMs: 200 },
    { kind: 'replace', afterMs: 400 },
    { kind: 'rest', afterMs: 1000 },
  ]);
});

test('crashes spread over more than a minute never add up', () => {
  const spread = Array.from({ length: 50 }, (_, n) => n * 20_001);

  expect(crashAt(spread).every(({ kind }) => kind === 'replace')).toBe(true);
});

test('after a rest one crash brings the next, twice as long, up to five minutes and never an end', () => {
  const rests = loop(20)
    .filter(({ kind }) => kind === 'rest')
    .map(({ afterMs }) => afterMs / 1000);

  expect(rests).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300, 300, 300]);
});

test.each<[string, Life]>([
  ['stayed up for a minute', { upMs: MINUTE, answers: 0 }],
  ['answered fifty batches', { upMs: 100, answers: 50 }],
])('a crash of an engine that %s is a first one again', (_, life) => {
  const resting = crashAt([0, 1, 2, 3, 4]).at(-1)!;
  expect(resting.kind).toBe('rest');

  expect(afterCrash(resting.history, life, 5, 1)).toMatchObject({ kind: 'replace', afterMs: 0 });
});

test('one caller whose requests kill engines does not take a busy model from all', () => {
  const busy: Life = { upMs: 200, answers: 90 };

  expect(crashAt([0, 200, 400, 600, 800, 1000, 1200], busy).every(({ kind }) => kind === 'replace')).toBe(
    true,
  );
});

test('rests are spread by chance, and never shorter than half', () => {
  const instants = fc.array(fc.nat(10 * MINUTE), { minLength: 1, maxLength: 40 });
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  fc.assert(
    fc.property(instants, chance, (times, random) => {
      const sorted = times.toSorted((a, b) => a - b);
      const full = crashAt(sorted, USELESS, 1);
      const some = crashAt(sorted, USELESS, random);
      for (const [index, { afterMs, kind }] of some.entries()) {
        expect(kind).toBe(full[index]!.kind);
        expect(afterMs).toBeLessThanOrEqual(full[index]!.afterMs);
        expect(afterMs).toBeGreaterThanOrEqual(full[index]!.afterMs / 2);
        expect(afterMs).toBeLessThanOrEqual(5 * MINUTE);
      }
    }),
  );
});
