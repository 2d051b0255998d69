import type { InstanceId, RevisionId } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Analysis, InstanceCounts } from './analysis.ts';
import { type Tallied, tally } from './tally.ts';

const candidate = 'aaaaaaaaaaaa-00000000' as RevisionId;
const stable = 'bbbbbbbbbbbb-00000000' as RevisionId;
const other = 'cccccccccccc-00000000' as RevisionId;
const analysis: Analysis = {
  candidate,
  stable,
  objectives: { available: { target: 0.999, breach: 'rollback' } },
  startedAt: 1000,
  eventBudget: 500,
};

function heard(
  instance: string,
  revision: RevisionId,
  bad: number,
  total: number,
  startedAt = 0,
): InstanceCounts {
  return {
    instanceId: instance as InstanceId,
    startedAt,
    heardAt: 2000,
    revision,
    attempts: total,
    indicators: { available: { good: total - bad, total } },
  };
}

function available(tallied: Tallied) {
  return tallied.increments.get('available');
}

test('counts only what is new since the last look', () => {
  const first = tally(analysis, {}, [heard('00000001', candidate, 2, 10), heard('00000001', stable, 1, 90)]);
  const second = tally(analysis, first.seen, [
    heard('00000001', candidate, 5, 20),
    heard('00000001', stable, 1, 180),
  ]);

  expect(available(second)).toEqual({ candidate: { bad: 3, total: 10 }, stable: { bad: 0, total: 90 } });
  expect(second.requests).toBe(10);
});

test('counts an instance from zero that began after the analysis did', () => {
  const tallied = tally(analysis, {}, [heard('00000001', candidate, 2, 10, 1000)]);

  expect(available(tallied)?.candidate).toEqual({ bad: 2, total: 10 });
});

test('leaves out the unknown past of an older instance that is first heard on the way', () => {
  const tallied = tally(analysis, {}, [heard('00000001', stable, 70, 1000, 999)]);

  expect(available(tallied)?.stable).toEqual({ bad: 0, total: 0 });
  expect(
    tally(analysis, tallied.seen, [heard('00000001', stable, 71, 1010, 999)]).increments.get('available')
      ?.stable,
  ).toEqual({ bad: 1, total: 10 });
});

test('counts the candidate from zero on an older instance that was known before it had the candidate', () => {
  const before = tally(analysis, {}, [heard('00000001', other, 0, 5000)]);
  const after = tally(analysis, before.seen, [heard('00000001', candidate, 3, 4)]);

  expect(available(after)?.candidate).toEqual({ bad: 3, total: 4 });
  expect(after.requests).toBe(4);
});

test('takes a count that shrank for a new life, in any of its parts', () => {
  const { seen } = tally(analysis, {}, [heard('00000001', candidate, 4, 10)]);
  const increase = (bad: number, total: number) =>
    available(tally(analysis, seen, [heard('00000001', candidate, bad, total)]))?.candidate;

  expect(increase(1, 3)).toEqual({ bad: 1, total: 3 });
  expect(increase(1, 12)).toEqual({ bad: 1, total: 12 });
  expect(increase(9, 12)).toEqual({ bad: 9, total: 12 });
});

test('takes no notice of revisions that are not judged', () => {
  const tallied = tally(analysis, {}, [heard('00000001', other, 5, 10, 1000)]);

  expect(available(tallied)).toBeUndefined();
  expect(tallied.requests).toBe(0);
});

test('leaves out a count that can not be, and takes it up where it was', () => {
  const { seen } = tally(analysis, {}, [heard('00000001', candidate, 0, 10)]);
  const absurd = tally(analysis, seen, [heard('00000001', candidate, -5, 20)]);
  const mended = tally(analysis, absurd.seen, [heard('00000001', candidate, 1, 20)]);

  expect(absurd.absurd).toContain('25 good of 20 for "available"');
  expect(available(absurd)).toBeUndefined();
  expect(mended.absurd).toBeNull();
  expect(available(mended)?.candidate).toEqual({ bad: 1, total: 10 });
});

test('does not count again what an instance had counted before it was away', () => {
  const first = tally(analysis, {}, [heard('00000001', candidate, 2, 10, 1000)]);
  const away = tally(analysis, first.seen, [heard('00000002', candidate, 0, 10, 1000)]);
  const back = tally(analysis, away.seen, [heard('00000001', candidate, 2, 11, 1000)]);

  expect(available(back)?.candidate).toEqual({ bad: 0, total: 1 });
});

test('forgets instances that are long gone', () => {
  let seen: Tallied['seen'] = {};
  for (let life = 0; life < 400; life++)
    seen = tally(analysis, seen, [heard(`0000${life}`, candidate, 0, 1, 1000)]).seen;

  expect(Object.keys(seen).length).toBeLessThanOrEqual(202);
});

const lives = fc.uniqueArray(
  fc.record({
    id: fc.integer({ min: 1, max: 30 }),
    revision: fc.constantFrom(candidate, stable, other),
    bad: fc.nat(50),
    good: fc.nat(50),
    startedAt: fc.constantFrom(0, 1000, 1500),
  }),
  { selector: ({ id, revision }) => `${id}/${revision}`, maxLength: 20 },
);
type Life = typeof lives extends fc.Arbitrary<infer T> ? T : never;
const words = (all: Life) =>
  all.map(({ id, revision, bad, good, startedAt }) =>
    heard(`0000000${id}`, revision, bad, bad + good, startedAt),
  );

test('does not mind in which order instances are heard', () => {
  fc.assert(
    fc.property(lives, lives, (before, after) => {
      const forward = tally(analysis, tally(analysis, {}, words(before)).seen, words(after));
      const backward = tally(
        analysis,
        tally(analysis, {}, words(before).toReversed()).seen,
        words(after).toReversed(),
      );

      expect(backward).toEqual(forward);
    }),
  );
});

test('finds nothing new in counts that were heard before', () => {
  fc.assert(
    fc.property(lives, all => {
      const first = tally(analysis, {}, words(all));
      const again = tally(analysis, first.seen, words(all));

      expect(again.hasNews).toBe(false);
      expect(again.requests).toBe(0);
      expect(again.seen).toEqual(first.seen);
      for (const pair of again.increments.values())
        expect(pair).toEqual({ candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 0 } });
    }),
  );
});

test('gives the same sum however requests are spread over instances', () => {
  const parts = fc.array(fc.record({ bad: fc.nat(20), good: fc.nat(20) }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(parts, parts => {
      const bad = parts.reduce((sum, part) => sum + part.bad, 0);
      const total = parts.reduce((sum, part) => sum + part.bad + part.good, 0);
      const spread = parts.map((part, i) =>
        heard(`0000000${i}`, candidate, part.bad, part.bad + part.good, 1000),
      );

      expect(available(tally(analysis, {}, spread))?.candidate).toEqual({ bad, total });
      expect(tally(analysis, {}, spread).requests).toBe(total);
    }),
  );
});
