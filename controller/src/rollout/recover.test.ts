import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RevisionSpec } from '../desired/desired-state.ts';
import { type RecoverInput, recover } from './recover.ts';
import { COMMIT, desiredOf, FRAUD, PROD, START, settledOf, specOf } from './rollout.fixture.ts';
import { backendsOf, rollout } from './rollout.ts';
import { type RolloutState, type Settled, subjectOf } from './rollout-state.ts';

const A = specOf('1.1.0');
const B = specOf('1.2.0');
const C = specOf('1.3.0');

function recovered(part: Partial<RecoverInput> = {}): RolloutState | null {
  return recover({
    environment: PROD,
    model: FRAUD,
    wanted: C,
    isHeld: false,
    commit: COMMIT,
    records: [],
    before: null,
    served: null,
    now: START,
    ...part,
  });
}

/** What is served once the first cycle has run on what was recovered. */
function servedAfter(part: Partial<RecoverInput>): Record<string, number> {
  const state = recovered(part);
  const { states } = rollout({
    desired: desiredOf(part.wanted ?? C),
    states: new Map(state ? [[subjectOf(PROD, FRAUD), state]] : []),
    openRollbacks: [],
    verdicts: new Map(),
    served: () => null,
    now: START,
  });
  const next = states.get(subjectOf(PROD, FRAUD));
  return Object.fromEntries((next ? backendsOf(next) : []).map(({ version, weight }) => [version, weight]));
}

const baked = (...specs: RevisionSpec[]): Settled[] => specs.map(spec => settledOf('baked', spec));

describe('a deployment whose ledger is gone', () => {
  test.each<[string, Partial<RecoverInput>, Record<string, number>]>([
    ['serves what git asks for when that has baked', { records: baked(B, C) }, { '1.3.0': 100 }],
    [
      'begins again at the first step beside the newest baked one',
      { records: baked(A, B) },
      { '1.2.0': 90, '1.3.0': 10 },
    ],
    [
      'begins again beside the baked one that a runtime serves',
      {
        records: baked(A, B),
        served: new Map([
          [A.id, 50],
          [C.id, 50],
        ]),
      },
      { '1.1.0': 90, '1.3.0': 10 },
    ],
    [
      'does not believe a runtime that serves what never baked',
      { records: baked(A), served: new Map([[C.id, 100]]) },
      { '1.1.0': 90, '1.3.0': 10 },
    ],
    [
      'does not go back to what was rolled back after it had baked',
      { records: [...baked(A, B), settledOf('rolled-back', B)] },
      { '1.1.0': 90, '1.3.0': 10 },
    ],
    [
      'goes back to what baked again after it had been rolled back',
      { records: [...baked(A, B), settledOf('rolled-back', B), ...baked(B)] },
      { '1.2.0': 90, '1.3.0': 10 },
    ],
    [
      'tries anew what was asked for, baked and was rolled back',
      { records: [...baked(B, C), settledOf('rolled-back', C)] },
      { '1.2.0': 90, '1.3.0': 10 },
    ],
    ['takes the release before for good where no record tells', { before: B }, { '1.2.0': 90, '1.3.0': 10 }],
    [
      'does not take the release before when that was rolled back',
      { before: B, records: [settledOf('rolled-back', B)] },
      { '1.3.0': 100 },
    ],
    ['serves a first release, since there is nothing else', {}, { '1.3.0': 100 }],
    [
      'learns nothing from what was only superseded or undecided',
      { records: [settledOf('superseded', B), settledOf('undecided', A)] },
      { '1.3.0': 100 },
    ],
  ])('%s', (_, part, expected) => {
    expect(servedAfter(part)).toEqual(expected);
  });

  test('serves the newest baked one that is not held when what git asks for is held', () => {
    expect(recovered({ records: baked(B, C), isHeld: true })).toMatchObject({
      stable: { version: '1.2.0' },
      candidate: null,
    });
  });

  test('remembers what was last good, oldest first, each once', () => {
    const state = recovered({ records: baked(A, B, A, C) });

    expect(state?.baked.map(({ version }) => version)).toEqual(['1.2.0', '1.1.0', '1.3.0']);
  });
});

test('by forgetting, nothing that has not baked ever gets more than the first step', () => {
  const pool = [A, B, C, specOf('1.3.0', { limits: { timeout: 5 } }), specOf('1.4.0')];
  const any = fc.constantFrom(...pool);
  const outcome = fc.constantFrom<Settled['outcome'][]>(
    'baked',
    'baked',
    'rolled-back',
    'superseded',
    'undecided',
  );
  const record = fc.tuple(outcome, any).map(([word, spec]) => settledOf(word, spec));
  const input = fc.record({
    wanted: any,
    isHeld: fc.boolean(),
    records: fc.array(record, { maxLength: 12 }),
    served: fc.option(fc.array(fc.tuple(any, fc.nat(100)), { maxLength: 3 })),
  });

  fc.assert(
    fc.property(input, ({ wanted, isHeld, records, served }) => {
      const good = new Set<string>();
      for (const { outcome: word, revision } of records) {
        if (word === 'baked') good.add(revision.id);
        if (word === 'rolled-back') good.delete(revision.id);
      }
      const weights = new Map(served?.map(([{ id }, weight]) => [id, weight]));

      const state = recovered({ wanted, isHeld, records, served: served ? weights : null });

      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      for (const { revision, weight } of state ? backendsOf(state) : [])
        if (!good.has(revision)) expect(weight).toBeLessThanOrEqual(10);
      if (!state) expect([...good].filter(id => id !== wanted.id || !isHeld)).toEqual([]);
      const first = rollout({
        desired: desiredOf(wanted),
        states: new Map(state ? [[subjectOf(PROD, FRAUD), state]] : []),
        openRollbacks: [],
        verdicts: new Map(),
        served: () => null,
        now: START,
      })
        .target.get(PROD)
        ?.get(FRAUD);
      for (const { revision, weight } of first?.backends ?? [])
        if (!good.has(revision) && good.size > 0) expect(weight).toBeLessThanOrEqual(10);
    }),
    { numRuns: 400 },
  );
});
