import { Route, type ServingPart } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { MINUTE, openRollback, START, specOf, steadyOn, verdictOf } from './rollout.fixture.ts';
import { routeOf } from './rollout.ts';
import type { RolloutState } from './rollout-state.ts';
import { after, look, looks } from './step.fixture.ts';

const TRIED: ServingPart = {
  rollout: {
    canary: {
      stickyBy: { header: 'x-card-id' },
      match: [{ header: 'x-tester', is: 'yes' }],
      shadow: 0.1,
    },
  },
};
const answer = (score: number): ServingPart => ({ fallback: { outputs: { score: [score] } } });
const STABLE = specOf('1.2.0', answer(0.2));
const CANDIDATE = specOf('1.3.0', TRIED, answer(0.3));

const at = (...weights: number[]) => weights.map(weight => ({ weight }));
const begun = look(steadyOn(STABLE), { wanted: CANDIDATE }).state;
const forward = (...parts: Parameters<typeof looks>[1]): RolloutState =>
  looks(
    begun,
    parts.map(part => ({ wanted: CANDIDATE, ...part })),
  ).state;

describe('a route', () => {
  test('of one revision says nothing but how it is run', () => {
    const tuned = specOf('1.2.0', TRIED, {
      limits: { queue: 8 },
      engines: 2,
      batching: { wait: 2 },
      cache: { for: 1000, size: 1024 },
    });

    const route = routeOf(steadyOn(tuned));

    expect(Route.parse(route)).toEqual(route);
    expect(Object.keys(route ?? {})).toEqual(['backends']);
    expect(route?.backends).toMatchObject([
      {
        limits: { queueRows: 8 },
        engines: 2,
        batching: { waitMs: 2 },
        cache: { forMs: 1000, bytes: 1024 },
      },
    ]);
    expect(route?.backends[0]).not.toHaveProperty('shadow');
  });

  test('sends those who match, and copies, to a candidate beside a stable', () => {
    const route = routeOf(begun);

    expect(Route.parse(route)).toEqual(route);
    expect(route).toMatchObject({
      backends: [{ version: '1.2.0' }, { version: '1.3.0', shadow: 10 }],
      match: [{ header: 'x-tester', is: 'yes', revision: CANDIDATE.id }],
      stickyBy: { header: 'x-card-id' },
    });
    expect(route?.backends[0]).not.toHaveProperty('shadow');
  });

  test('is tried as the candidate says, not as stable did', () => {
    const route = routeOf(look(steadyOn(CANDIDATE), { wanted: STABLE }).state);

    expect(Object.keys(route ?? {})).toEqual(['backends', 'fallback']);
  });

  test('goes on matching a candidate that is undecided: somebody has to find out', () => {
    const overdue = forward(after(11, verdictOf('inconclusive', 3)));

    expect(overdue.candidate?.phase).toBe('undecided');
    expect(routeOf(overdue)).toMatchObject({ match: [{}], backends: [{}, { shadow: 10 }] });
  });

  const paused = { ...begun, paused: { by: 'mei', reason: 'lunch', since: START } };
  const baking = forward(after(1, verdictOf('healthy', 10)), after(3, verdictOf('healthy', 30)));
  const first = look({ ...steadyOn(STABLE), stable: null }, { wanted: CANDIDATE }).state;
  const rolledBack = forward({ openRollback: openRollback(CANDIDATE, STABLE) });
  const superseded = look(begun, { wanted: STABLE, now: START + MINUTE }).state;
  const baked = forward(
    after(1, verdictOf('healthy', 10)),
    after(3, verdictOf('healthy', 30)),
    after(4, verdictOf('healthy', 40)),
  );
  test.each<[string, RolloutState, { weight: number }[]]>([
    ['is paused', paused, at(90, 10)],
    ['has everything and bakes', baking, at(0, 100)],
    ['is the first release', first, at(100)],
    ['is rolled back', rolledBack, at(100)],
    ['was superseded', superseded, at(100)],
    ['has baked', baked, at(100)],
  ])('sends neither matches nor copies to a candidate that %s', (_, state, weights) => {
    const route = routeOf(state);

    expect(route?.backends).toMatchObject(weights);
    expect(route).not.toHaveProperty('match');
    for (const backend of route?.backends ?? []) expect(backend).not.toHaveProperty('shadow');
  });

  test('keeps callers where they are while its candidate is paused', () => {
    expect(routeOf(paused)?.stickyBy).toEqual({ header: 'x-card-id' });
  });

  test('falls back on the answer of whoever has most requests, and of stable on a tie', () => {
    const answers = [begun, forward(after(1, verdictOf('healthy', 10))), baking, rolledBack, first].map(
      state => routeOf(state)?.fallback?.outputs['score'],
    );

    expect(answers).toEqual([[0.2], [0.2], [0.3], [0.2], [0.3]]);
  });

  test('is none where nothing is to be served', () => {
    expect(routeOf({ ...steadyOn(STABLE), stable: null })).toBeNull();
  });
});
