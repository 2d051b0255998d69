import type { ServingPart, Verdict } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { COMMIT, MINUTE, START, specOf, steadyOn, verdictOf } from './rollout.fixture.ts';
import { backendsOf } from './rollout.ts';
import {
  after,
  baking,
  GOOD,
  inCanary,
  inSecondStep,
  look,
  looks,
  outcomes,
  types,
  weights,
} from './step.fixture.ts';

describe('a rollout', () => {
  test('begins beside stable with the weight of the first step', () => {
    const begun = look(steadyOn(GOOD));

    expect(weights(begun.state)).toEqual({ '1.2.0': 90, '1.3.0': 10 });
    expect(begun.events).toMatchObject([
      {
        type: 'rollout.started',
        subject: 'prod/fraud',
        data: { version: '1.3.0', from: '1.2.0', weight: 10 },
      },
    ]);
    expect(begun.wakeAt).toBe(START + MINUTE);
  });

  test('goes up step by step, bakes with all the traffic and is last good then', () => {
    expect(weights(inSecondStep)).toEqual({ '1.2.0': 50, '1.3.0': 50 });
    expect(weights(baking)).toEqual({ '1.2.0': 0, '1.3.0': 100 });

    const baked = look(baking, after(4, verdictOf('healthy', 35)));

    expect(baked.state).toMatchObject({ stable: { version: '1.3.0' }, candidate: null, since: START });
    expect(baked.state.baked.map(({ version }) => version)).toEqual(['1.2.0', '1.3.0']);
    expect(types(baked)).toEqual(['rollout.baked']);
    expect(baked.settled).toMatchObject([
      {
        subject: 'prod/fraud',
        outcome: 'baked',
        revision: { version: '1.3.0' },
        stable: { version: '1.3.0' },
        commit: COMMIT,
        startedAt: START,
        at: START + 4 * MINUTE,
        trail: [
          { weight: 10, at: START, requests: 10 },
          { weight: 50, at: START + MINUTE, requests: 20 },
          { weight: 100, at: START + 3 * MINUTE, requests: 5 },
        ],
        verdict: { verdict: 'healthy' },
      },
    ]);
    expect(baked.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  test.each<[string, number, Verdict | null]>([
    ['the time is not there', 0.9, verdictOf('healthy', 1000)],
    ['the requests are not there', 5, verdictOf('healthy', 9)],
    ['nobody has looked yet', 5, null],
    ['there is too little data to tell', 5, verdictOf('inconclusive', 1000)],
    ['the data is absurd', 5, verdictOf('error', 1000)],
    ['it is degraded', 5, verdictOf('degraded', 1000)],
    ['it is degraded by an objective that holds', 5, verdictOf('degraded', 1000, { breach: 'hold' })],
  ])('stays where it is when %s', (_, minutes, verdict) => {
    const stayed = look(inCanary, after(minutes, verdict));

    expect(stayed.state).toBe(inCanary);
    expect(stayed.events).toEqual([]);
    expect(stayed.settled).toEqual([]);
  });

  test.each(['page', 'notify'] as const)('is not held up by an objective that only calls to %s', breach => {
    const called = look(inCanary, after(1, verdictOf('degraded', 10, { breach })));

    expect(types(called)).toEqual(['rollout.stepped']);
  });

  test('is held up by one binding objective among several', () => {
    const healthy = verdictOf('healthy', 10);
    const unsure = verdictOf('inconclusive', 10);
    const findings = [...healthy.findings, ...unsure.findings];

    expect(look(inCanary, after(1, { ...unsure, findings })).state).toBe(inCanary);
  });

  test('counts the requests of a step from where the step began', () => {
    const early = look(inSecondStep, after(3, verdictOf('healthy', 29)));
    const enough = look(inSecondStep, after(3, verdictOf('healthy', 30)));

    expect(early.state).toBe(inSecondStep);
    expect(types(enough)).toEqual(['rollout.promoted']);
  });

  test('never uses a verdict that was on another revision', () => {
    const begun = look(steadyOn(GOOD), { verdict: verdictOf('degraded', 1000), now: START });

    expect(begun.state.halted).toBeNull();
    expect(weights(begun.state)).toEqual({ '1.2.0': 90, '1.3.0': 10 });
  });

  test('gives everything at once where there are no steps, and is watched all the same', () => {
    const quick = specOf('1.3.0', { rollout: { canary: { steps: [] } } });

    const begun = look(steadyOn(GOOD), { wanted: quick });

    expect(begun.state.candidate?.phase).toBe('baking');
    expect(weights(begun.state)).toEqual({ '1.2.0': 0, '1.3.0': 100 });
  });

  test('of other settings of the same version goes through the steps as well', () => {
    const tuned = specOf('1.2.0', { limits: { timeout: 5 } });

    const begun = look(steadyOn(GOOD), { wanted: tuned });

    expect(backendsOf(begun.state).map(({ revision, weight }) => [revision, weight])).toEqual([
      [GOOD.id, 90],
      [tuned.id, 10],
    ]);
  });

  test('says when it wants to be looked at again, whichever is due first', () => {
    const slow: ServingPart = {
      rollout: {
        canary: {
          steps: [{ weight: 5, for: 60 * MINUTE, requests: 1 }],
          undecided: { after: 10 * MINUTE, then: 'page' },
        },
      },
    };

    expect(look(steadyOn(GOOD), { wanted: specOf('1.3.0', slow) }).wakeAt).toBe(START + 10 * MINUTE);
    expect(look(inCanary, after(1, verdictOf('healthy', 10))).wakeAt).toBe(START + 3 * MINUTE);
    expect(look(inCanary, { now: START + 30_000 }).wakeAt).toBe(START + MINUTE);
  });
});

describe('a rollout past its deadline', () => {
  const then = (word: 'page' | 'continue' | 'rollback') =>
    specOf('1.3.0', {
      rollout: { canary: { steps: CANARY_STEPS, undecided: { after: 10 * MINUTE, then: word } } },
    });
  const CANARY_STEPS = [
    { weight: 10, for: MINUTE, requests: 10 },
    { weight: 50, for: MINUTE, requests: 10 },
  ];

  test.each(['page', 'rollback'] as const)('is undecided once, and keeps its weight (then: %s)', word => {
    const wanted = then(word);
    const begun = look(steadyOn(GOOD), { wanted });

    const late = look(begun.state, { wanted, ...after(10, verdictOf('inconclusive', 5)) });
    const later = look(late.state, { wanted, ...after(20, verdictOf('inconclusive', 6)) });

    expect(types(late)).toEqual(['rollout.undecided']);
    expect(outcomes(late)).toEqual(['1.3.0 undecided']);
    expect(weights(late.state)).toEqual({ '1.2.0': 90, '1.3.0': 10 });
    expect(later.state).toBe(late.state);
  });

  test('goes on when it turns out healthy after all, and is not called undecided twice', () => {
    const wanted = then('page');
    const late = looks(steadyOn(GOOD), [{ wanted }, { wanted, ...after(10, verdictOf('inconclusive', 5)) }]);

    const healthy = look(late.state, { wanted, ...after(11, verdictOf('healthy', 20)) });
    const last = look(healthy.state, { wanted, ...after(12, verdictOf('healthy', 30)) });

    expect(types(healthy)).toEqual(['rollout.stepped']);
    expect(weights(healthy.state)).toEqual({ '1.2.0': 50, '1.3.0': 50 });
    expect(types(last)).toEqual(['rollout.promoted']);
  });

  test('goes on without an answer where that was asked for', () => {
    const wanted = then('continue');
    const begun = look(steadyOn(GOOD), { wanted });

    const late = look(begun.state, { wanted, ...after(10, verdictOf('inconclusive', 10)) });

    expect(types(late)).toEqual(['rollout.stepped']);
  });

  test.each<[string, Verdict | null]>([
    ['it is degraded', verdictOf('degraded', 5000, { breach: 'hold' })],
    ['it has not the requests', verdictOf('inconclusive', 9)],
    ['nobody has looked', null],
  ])('does not even go on where that was asked for when %s', (_, verdict) => {
    const wanted = then('continue');
    const begun = look(steadyOn(GOOD), { wanted });

    const late = look(begun.state, { wanted, ...after(600, verdict) });

    expect(late.state).toBe(begun.state);
  });
});

test('remembers the last ten that baked', () => {
  const stable = specOf('2.0.0');
  const many = Array.from({ length: 10 }, (_, index) => specOf(`0.${index}.0`));
  const begun = look(steadyOn(stable, ...many));

  const baked = looks(begun.state, [
    after(1, verdictOf('healthy', 10)),
    after(3, verdictOf('healthy', 30)),
    after(4, verdictOf('healthy', 35)),
  ]);

  expect(baked.state.baked).toHaveLength(10);
  expect(baked.state.baked.at(-1)?.version).toBe('1.3.0');
});
