import type { Backend, ModelName } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ratioVersion, snapshotOf } from '../serving.fixture.ts';
import { type AppliedRoutes, applyRoutes, PARTIAL } from './apply.ts';

const RATIO = 'ratio' as ModelName;
const version = (label: string, weight: number): Backend => ratioVersion({ label, weight }).backend;
const ready = (...labels: string[]) => {
  const revisions = labels.map(label => version(label, 1).revision);
  return (_: string, revision: string) => revisions.includes(revision as never);
};
const NOTHING: AppliedRoutes = new Map();

describe('applying routes', () => {
  const old = snapshotOf({ ratio: [version('1', 100)] });
  const serving1 = applyRoutes(NOTHING, old, ready('1'));

  test('takes the new backends once all that get requests are ready', () => {
    const next = snapshotOf({ ratio: [version('1', 90), version('2', 10)] });

    const applied = applyRoutes(serving1, next, ready('1', '2'));

    expect(applied.get(RATIO)?.generation).toBe(next.generation);
    expect(applied.get(RATIO)?.backends.map(({ weight }) => weight)).toEqual([90, 10]);
  });

  test('keeps the old ones while one of the new is not ready', () => {
    const next = snapshotOf({ ratio: [version('1', 90), version('2', 10)] });

    expect(applyRoutes(serving1, next, ready('1'))).toEqual(serving1);
  });

  test('does not wait for a backend of weight 0', () => {
    const next = snapshotOf({ ratio: [version('1', 100), version('2', 0)] });

    expect(applyRoutes(serving1, next, ready('1')).get(RATIO)?.generation).toBe(next.generation);
  });

  test('drops a route that is not wanted any more', () => {
    expect(applyRoutes(serving1, snapshotOf({}), ready('1'))).toEqual(NOTHING);
  });

  test('holds no route up for another', () => {
    const next = snapshotOf({ ratio: [version('2', 100)], other: [version('3', 100)] });

    const applied = applyRoutes(serving1, next, ready('1', '3'));

    expect(applied.get(RATIO)?.generation).toBe(old.generation);
    expect(applied.get('other' as ModelName)?.generation).toBe(next.generation);
  });

  test('starts with the stable backend alone when it has served nothing yet', () => {
    const first = snapshotOf({ ratio: [version('1', 95), version('2', 5)] });

    const applied = applyRoutes(NOTHING, first, ready('1'));
    const later = applyRoutes(applied, first, ready('1', '2'));

    expect(applied.get(RATIO)).toMatchObject({ generation: PARTIAL, backends: [{ version: '1' }] });
    expect(later.get(RATIO)).toMatchObject({ generation: first.generation });
  });

  test('never starts with a canary alone', () => {
    const first = snapshotOf({ ratio: [version('1', 95), version('2', 5)] });

    expect(applyRoutes(NOTHING, first, ready('2'))).toEqual(NOTHING);
  });

  test('carries what the generation that it applies says of the route', () => {
    const fallback = { outputs: { ratio: [0.5] } };
    const [stable, candidate] = [version('1', 90), version('2', 10)];
    const match = [{ header: 'x-tester', is: 'yes', revision: candidate.revision }];
    const next = snapshotOf({});
    next.routes[RATIO] = { backends: [stable, candidate], match, fallback };

    const waiting = applyRoutes(serving1, next, ready('1')).get(RATIO);
    const taken = applyRoutes(serving1, next, ready('1', '2')).get(RATIO);

    expect(waiting).toMatchObject({ fallback: null, choice: { matches: [] } });
    expect(taken).toMatchObject({ fallback, choice: { matches: [{ header: 'x-tester' }] } });
  });

  test('only ever answers from backends that were ready when it took them, and is stable when asked again', () => {
    const labels = ['1', '2', '3'];
    const backends = fc
      .array(fc.tuple(fc.constantFrom(...labels), fc.constantFrom(0, 5, 50, 100)), {
        minLength: 1,
        maxLength: 3,
      })
      .map(pairs => [...new Map(pairs)].map(([label, weight]) => version(label, weight)));
    const step = fc.record({ backends, ready: fc.subarray(labels) });

    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), steps => {
        let applied = NOTHING;
        for (const { backends, ready: readyLabels } of steps) {
          const snapshot = snapshotOf({ ratio: backends });
          const isReady = ready(...readyLabels);
          const before = applied.get(RATIO);
          applied = applyRoutes(applied, snapshot, isReady);
          const after = applied.get(RATIO);
          if (after !== before)
            expect(
              after?.backends.every(({ weight, revision }) => weight === 0 || isReady('', revision)),
            ).toBe(true);
          if (before !== undefined) expect(after).toBeDefined();
          expect(applyRoutes(applied, snapshot, isReady)).toEqual(applied);
        }
      }),
    );
  });
});
