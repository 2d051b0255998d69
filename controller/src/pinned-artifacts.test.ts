import { type Artifact, ArtifactDigest } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { controlState } from './control-state.ts';
import type { DesiredState } from './desired/desired-state.ts';
import { intend } from './operation/open-operations.ts';
import { pinnedArtifacts } from './pinned-artifacts.ts';
import { START, specOf, steadyOn } from './rollout/rollout.fixture.ts';

const EMPTY = { open: [], rollouts: new Map(), analyses: new Map() };
const NOTHING = { published: new Map() };
const artifactsOf = (digit: string): Record<string, Artifact> => ({
  'model.onnx': { sha256: ArtifactDigest.parse(digit.repeat(64)), size: 7 },
});
const spec = (version: string, digit: string) => ({ ...specOf(version), artifacts: artifactsOf(digit) });
const desired = { environments: new Map(), models: new Map() } as unknown as DesiredState;

test('nothing is known to be needed before git was read', () => {
  expect(pinnedArtifacts(controlState(EMPTY), NOTHING)).toBeNull();
});

test('what is last good, being rolled out, or named by an open rollback stays, with its size', () => {
  const state = controlState(EMPTY);
  state.desired = desired;
  state.rollouts = new Map([['prod/fraud', steadyOn(spec('1.0.0', 'a'))]]);
  const rollback = {
    ...{ kind: 'rollback' as const, environment: 'prod' as never, model: 'fraud' as never },
    ...{ from: spec('1.1.0', 'b'), to: spec('1.0.0', 'c'), cause: 'd'.repeat(40) as never },
    ...{ reason: 'bad', evidence: {}, by: 'controller' },
  };
  state.open.put(intend(rollback, 'intended', START).operation);

  const pinned = pinnedArtifacts(state, NOTHING);

  expect(new Set(pinned?.map(({ digest }) => digest[0]))).toEqual(new Set(['a', 'b', 'c']));
  expect(pinned?.every(({ sizeBytes }) => sizeBytes === 7)).toBe(true);
});
