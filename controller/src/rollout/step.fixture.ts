import type { Verdict } from '@switchback-ml/schemas';
import { COMMIT, MINUTE, START, specOf, steadyOn, verdictOf } from './rollout.fixture.ts';
import { backendsOf } from './rollout.ts';
import type { RolloutState, Stepped } from './rollout-state.ts';
import { type StepInput, step } from './step.ts';

export const GOOD = specOf('1.2.0');
export const NEXT = specOf('1.3.0');
export const LATER = specOf('1.4.0');

export function look(state: RolloutState, part: Partial<StepInput> = {}): Stepped {
  return step({
    state,
    wanted: NEXT,
    isHeld: false,
    commit: COMMIT,
    openRollback: null,
    verdict: null,
    served: null,
    now: START,
    ...part,
  });
}

/** Looks one after the other; each gets what the one before left. */
export function looks(state: RolloutState, parts: readonly Partial<StepInput>[]): Stepped {
  return parts.reduce<Stepped>((last, part) => look(last.state, part), {
    state,
    events: [],
    settled: [],
    wakeAt: START,
  });
}

export function weights(state: RolloutState): Record<string, number> {
  return Object.fromEntries(backendsOf(state).map(({ version, weight }) => [version, weight]));
}

export const types = ({ events }: Stepped): string[] => events.map(({ type }) => type);
export const outcomes = ({ settled }: Stepped): string[] =>
  settled.map(({ outcome, revision }) => `${revision.version} ${outcome}`);
export const after = (minutes: number, verdict: Verdict | null): Partial<StepInput> => ({
  now: START + minutes * MINUTE,
  verdict,
});

export const inCanary = look(steadyOn(GOOD)).state;
export const inSecondStep = looks(inCanary, [after(1, verdictOf('healthy', 10))]).state;
export const baking = looks(inSecondStep, [after(3, verdictOf('healthy', 30))]).state;
