import { Route, type ServingPart } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import {
  desiredOf,
  FRAUD,
  holdOf,
  MINUTE,
  openRollback,
  PROD,
  START,
  specOf,
  stateOf,
  steadyOn,
  verdictOf,
} from './rollout.fixture.ts';
import { type RolledOut, type RolloutInput, rollout } from './rollout.ts';
import type { RolloutState } from './rollout-state.ts';

const SUBJECT = 'prod/fraud';

function rolledOut(state: RolloutState | null, part: Partial<RolloutInput> = {}): RolledOut {
  return rollout({
    desired: desiredOf(specOf('1.3.0')),
    states: new Map(state ? [[SUBJECT, state]] : []),
    openRollbacks: [],
    verdicts: new Map(),
    served: () => null,
    now: START,
    ...part,
  });
}

describe('rollout', () => {
  const stable = specOf('1.2.0', { limits: { timeout: 250 } });

  test('says what each backend needs to be served', () => {
    const { target } = rolledOut(steadyOn(stable));

    const route = target.get(PROD)?.get(FRAUD);
    const backends = route?.backends ?? [];
    expect(Route.parse(route)).toEqual(route);
    expect(backends.map(({ version, weight, limits }) => ({ version, weight, ...limits }))).toEqual([
      { version: '1.2.0', weight: 90, memoryBytes: 512 * 2 ** 20, timeoutMs: 250, maxBatch: 64 },
      { version: '1.3.0', weight: 10, memoryBytes: 512 * 2 ** 20, timeoutMs: 1000, maxBatch: 64 },
    ]);
  });

  test('compiles objectives to what a runtime counts', () => {
    const objectives: ServingPart['objectives'] = {
      fast: { under: 50, target: 0.99, breach: 'rollback' },
      available: { target: 0.999, breach: 'page' },
      valid: { output: 'score', within: [0, 1], target: 0.9999, breach: 'rollback' },
    };

    const { target } = rolledOut(null, { desired: desiredOf(specOf('1.3.0', { objectives })) });

    expect(target.get(PROD)?.get(FRAUD)?.backends[0]?.indicators).toEqual([
      { kind: 'fast', underMs: 50 },
      { kind: 'available' },
      { kind: 'valid', output: 'score', within: [0, 1] },
    ]);
  });

  test('has an environment without deployments as a target without routes', () => {
    const { target, states } = rolledOut(null, { desired: desiredOf(null) });

    expect(target.get(PROD)?.size).toBe(0);
    expect(states.size).toBe(0);
  });

  test('forgets a deployment that git no longer has', () => {
    const desired = { ...desiredOf(null), environments: new Map() };

    const { target, states } = rolledOut(steadyOn(stable), { desired });

    expect({ target: target.size, states: states.size }).toEqual({ target: 0, states: 0 });
  });

  test('takes no more than a hold that has not ended for a hold', () => {
    const wanted = specOf('1.3.0');
    const until = new Date(START + MINUTE).toISOString();
    const desired = desiredOf(wanted, { holds: [holdOf(wanted, { until })] });

    const before = rolledOut(steadyOn(stable), { desired });
    const after = rolledOut(steadyOn(stable), { desired, now: START + MINUTE });

    expect(before.events).toEqual([]);
    expect(after.events.map(({ type }) => type)).toEqual(['rollout.started']);
  });
});

describe('an environment that can not be read', () => {
  const canary = rolledOut(steadyOn(specOf('1.2.0'))).states.get(SUBJECT) ?? stateOf();
  const desired = desiredOf(null, { isBroken: true });

  test('keeps its weights, its state and its candidate where it is', () => {
    const verdicts = new Map([[SUBJECT, verdictOf('healthy', 1000)]]);

    const kept = rolledOut(canary, { desired, verdicts, now: START + 60 * MINUTE });

    expect(kept.states.get(SUBJECT)).toBe(canary);
    expect(
      kept.target
        .get(PROD)
        ?.get(FRAUD)
        ?.backends.map(({ weight }) => weight),
    ).toEqual([90, 10]);
    expect(kept.events).toEqual([]);
  });

  test('still takes every request from a failing revision', () => {
    const openRollbacks = [openRollback(specOf('1.3.0'), specOf('1.2.0'))];

    const left = rolledOut(canary, { desired, openRollbacks });

    expect(
      left.target
        .get(PROD)
        ?.get(FRAUD)
        ?.backends.map(({ version, weight }) => [version, weight]),
    ).toEqual([['1.2.0', 100]]);
    expect(left.settled.map(({ outcome }) => outcome)).toEqual(['rolled-back']);
  });

  test('of which nothing is known is left alone, which is not the same as to be emptied', () => {
    expect(rolledOut(null, { desired }).target.get(PROD)).toBeNull();
  });
});
