import type { ServingPart, Verdict } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import {
  COMMIT,
  MINUTE,
  OPERATION,
  openRollback,
  START,
  specOf,
  stateOf,
  steadyOn,
  verdictOf,
} from './rollout.fixture.ts';
import { backendsOf } from './rollout.ts';
import type { RolloutState, Stepped } from './rollout-state.ts';
import { type StepInput, step } from './step.ts';

const GOOD = specOf('1.2.0');
const NEXT = specOf('1.3.0');
const LATER = specOf('1.4.0');

function look(state: RolloutState, part: Partial<StepInput> = {}): Stepped {
  return step({
    state,
    wanted: NEXT,
    isHeld: false,
    commit: COMMIT,
    openRollback: null,
    verdict: null,
    now: START,
    ...part,
  });
}

/** Looks one after the other; each gets what the one before left. */
function looks(state: RolloutState, parts: readonly Partial<StepInput>[]): Stepped {
  return parts.reduce<Stepped>((last, part) => look(last.state, part), {
    state,
    events: [],
    settled: [],
    wakeAt: START,
  });
}

function weights(state: RolloutState): Record<string, number> {
  return Object.fromEntries(backendsOf(state).map(({ version, weight }) => [version, weight]));
}

const types = ({ events }: Stepped): string[] => events.map(({ type }) => type);
const outcomes = ({ settled }: Stepped): string[] =>
  settled.map(({ outcome, revision }) => `${revision.version} ${outcome}`);
const after = (minutes: number, verdict: Verdict | null): Partial<StepInput> => ({
  now: START + minutes * MINUTE,
  verdict,
});

const inCanary = look(steadyOn(GOOD)).state;
const inSecondStep = looks(inCanary, [after(1, verdictOf('healthy', 10))]).state;
const baking = looks(inSecondStep, [after(3, verdictOf('healthy', 30))]).state;

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

describe('a first release', () => {
  const first = look(stateOf()).state;

  test('serves everything, since there is nothing to go back to', () => {
    expect(weights(first)).toEqual({ '1.3.0': 100 });
    expect(first.candidate?.phase).toBe('baking');
  });

  test('is last good once it has baked', () => {
    const baked = look(first, after(1, verdictOf('healthy', 5)));

    expect(outcomes(baked)).toEqual(['1.3.0 baked']);
    expect(baked.state.stable?.version).toBe('1.3.0');
  });

  test('that is bad is served on, once halted, and is never baked', () => {
    const halted = look(first, after(1, verdictOf('degraded', 50, { reason: 'errors 9 %' })));
    const later = look(halted.state, after(60, verdictOf('healthy', 5000)));

    expect(types(halted)).toEqual(['rollout.halted']);
    expect(halted.state.halted).toEqual({ reason: 'errors 9 %', since: START + MINUTE });
    expect(weights(halted.state)).toEqual({ '1.3.0': 100 });
    expect(later.state).toBe(halted.state);
  });

  test('that was halted gives way to the next one', () => {
    const halted = look(first, after(1, verdictOf('degraded', 50)));

    const next = look(halted.state, { wanted: LATER, ...after(2, verdictOf('degraded', 50)) });

    expect(next.state.halted).toBeNull();
    expect(weights(next.state)).toEqual({ '1.4.0': 100 });
    expect(outcomes(next)).toEqual(['1.3.0 superseded']);
  });
});

describe('what git asks for', () => {
  test.each([
    ['in the first step', inCanary],
    ['in the second', inSecondStep],
    ['while it bakes', baking],
  ])('again as before gives stable all traffic at once, %s', (_, state) => {
    const reverted = look(state, { wanted: GOOD, now: START + 4 * MINUTE });

    expect(weights(reverted.state)).toEqual({ '1.2.0': 100 });
    expect(outcomes(reverted)).toEqual(['1.3.0 superseded']);
    expect(types(reverted)).toEqual(['rollout.superseded']);
  });

  test('anew supersedes what was under way, which begins at the first step beside the same stable', () => {
    const superseded = look(inSecondStep, { wanted: LATER, now: START + 2 * MINUTE });

    expect(weights(superseded.state)).toEqual({ '1.2.0': 90, '1.4.0': 10 });
    expect(superseded.state.candidate?.trail).toEqual([]);
    expect(outcomes(superseded)).toEqual(['1.3.0 superseded']);
  });

  test('that had been last good here takes over at once', () => {
    const back = look(steadyOn(NEXT, GOOD), { wanted: GOOD });

    expect(weights(back.state)).toEqual({ '1.2.0': 100 });
    expect(types(back)).toEqual(['rollout.promoted']);
  });

  test('while it is what runs changes nothing, look after look', () => {
    const state = steadyOn(NEXT);

    const looked = look(state);

    expect(looked).toEqual({ state, events: [], settled: [], wakeAt: Number.POSITIVE_INFINITY });
    expect(looked.state).toBe(state);
  });

  test('and can not be read keeps the weights as they are, whatever the verdict', () => {
    const stayed = look(inCanary, { wanted: null, ...after(5, verdictOf('healthy', 1000)) });

    expect(stayed.state).toBe(inCanary);
  });

  test('and is held is not begun', () => {
    const state = steadyOn(GOOD);

    expect(look(state, { isHeld: true }).state).toBe(state);
  });

  test('and is held while under way gives stable all traffic', () => {
    const held = look(inSecondStep, { isHeld: true, ...after(9, verdictOf('healthy', 1000)) });
    const again = look(held.state, { isHeld: true, now: START + 10 * MINUTE });

    expect(weights(held.state)).toEqual({ '1.2.0': 100 });
    expect(outcomes(held)).toEqual(['1.3.0 superseded']);
    expect(again.state).toBe(held.state);
  });

  test('and is held while it is all there is serves on, and never bakes', () => {
    const first = look(stateOf()).state;

    const held = look(first, { isHeld: true, ...after(60, verdictOf('healthy', 5000)) });

    expect(held.state).toBe(first);
  });
});

describe('an open rollback', () => {
  const rollback = openRollback(NEXT, GOOD);

  test.each([
    ['in the first step', inCanary],
    ['in the second', inSecondStep],
    ['while it bakes', baking],
  ])('takes every request from the failing revision, %s', (_, state) => {
    const left = look(state, { openRollback: rollback, now: START + 4 * MINUTE });

    expect(weights(left.state)).toEqual({ '1.2.0': 100 });
    expect(outcomes(left)).toEqual(['1.3.0 rolled-back']);
    expect(left.settled[0]?.stable?.version).toBe('1.2.0');
    expect(left.events).toMatchObject([
      { type: 'traffic.shifted', data: { from: '1.3.0', to: '1.2.0', operation: OPERATION } },
    ]);
  });

  test('keeps git from bringing the failing revision back, however long it takes', () => {
    const left = look(inCanary, { openRollback: rollback });

    const later = look(left.state, { openRollback: rollback, ...after(600, verdictOf('healthy', 9999)) });

    expect(later).toMatchObject({ events: [], settled: [] });
    expect(later.state).toBe(left.state);
  });

  test('is stronger than a pause', () => {
    const paused = { ...inCanary, paused: { by: 'mei', reason: 'lunch', since: START } };

    expect(weights(look(paused, { openRollback: rollback }).state)).toEqual({ '1.2.0': 100 });
  });

  test('is stronger than a release that can not be read', () => {
    expect(weights(look(inCanary, { wanted: null, openRollback: rollback }).state)).toEqual({ '1.2.0': 100 });
  });

  test('of what had baked already says so, and it would have to prove itself anew', () => {
    const left = look(steadyOn(NEXT, GOOD), { openRollback: rollback });
    const again = look(left.state, { now: START + 60 * MINUTE });

    expect(outcomes(left)).toEqual(['1.3.0 rolled-back']);
    expect(left.state.baked.map(({ version }) => version)).toEqual(['1.2.0']);
    expect(weights(again.state)).toEqual({ '1.2.0': 90, '1.3.0': 10 });
  });

  test('of stable supersedes what was being tried beside it', () => {
    const trying = look(steadyOn(NEXT, GOOD), { wanted: LATER });

    const left = look(trying.state, { wanted: LATER, openRollback: rollback });

    expect(outcomes(left)).toEqual(['1.4.0 superseded', '1.3.0 rolled-back']);
    expect(weights(left.state)).toEqual({ '1.2.0': 100 });
  });
});

describe('a pause', () => {
  const paused = { ...inCanary, paused: { by: 'mei', reason: 'lunch', since: START } };

  test('keeps the weights, whatever the verdict and however late', () => {
    const stayed = look(paused, after(600, verdictOf('healthy', 9999)));

    expect(stayed.state).toBe(paused);
    expect(stayed.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('ends with the next commit that asks for something else', () => {
    expect(look(paused, { wanted: LATER }).state.paused).toBeNull();
    expect(weights(look(paused, { wanted: GOOD }).state)).toEqual({ '1.2.0': 100 });
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
