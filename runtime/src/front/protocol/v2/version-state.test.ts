import type { Loaded } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { ratioVersion } from '../../../serving.fixture.ts';
import { type VersionState, versionState } from './version-state.ts';

const { backend } = ratioVersion();
const stateOf = (isReady: boolean, loaded?: Pick<Loaded, 'state' | 'failure' | 'asleep'>): VersionState =>
  versionState({ isReady: () => isReady, loaded: () => loaded }, 'ratio', backend);

test('a version that sleeps is ready, and that it sleeps is said', () => {
  expect(stateOf(true, { state: 'ready', asleep: true })).toEqual({
    state: 'READY',
    reasons: [{ code: 'asleep', message: expect.stringContaining('wakes') }],
  });
});

test('of a version that is awake nothing is said', () => {
  expect(stateOf(true, { state: 'ready' })).toEqual({ state: 'READY', reasons: [] });
});

test.each([
  ['pulled', { state: 'pulling' }, 'LOADING'],
  ['loaded', { state: 'loading' }, 'LOADING'],
  [
    'failed',
    { state: 'failed', failure: { code: 'E_MODEL_LOAD', message: 'It is no graph.' } },
    'UNAVAILABLE',
  ],
  ['not begun', undefined, 'UNAVAILABLE'],
] as const)('a version that is %s says why it is not ready', (_, loaded, state) => {
  const told = stateOf(false, loaded);

  expect(told.state).toBe(state);
  expect(told.reasons).toHaveLength(1);
});
