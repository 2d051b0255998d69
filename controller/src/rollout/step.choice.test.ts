import { describe, expect, test } from 'vitest';
import { MINUTE, OPERATION, openRollback, START, stateOf, steadyOn, verdictOf } from './rollout.fixture.ts';
import {
  after,
  baking,
  GOOD,
  inCanary,
  inSecondStep,
  LATER,
  look,
  NEXT,
  outcomes,
  types,
  weights,
} from './step.fixture.ts';

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
