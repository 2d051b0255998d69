import { describe, expect, test } from 'vitest';
import {
  candidateWith,
  desiredWith,
  holdOn,
  inputWith,
  MINUTE,
  NOW,
  ONE,
  rolloutWith,
  runtimeWith,
  stateWith,
  THREE,
  TWO,
  wordOf,
} from './deployed.fixture.ts';
import { FirstSeen } from './first-seen.ts';
import type { StatusInput } from './status.ts';
import { condition, deployment, rolled } from './status-parts.fixture.ts';

describe('conditions', () => {
  test('are all said, each once, with the time of the thing itself where it has one', () => {
    const input = rolled({ candidate: candidateWith() });

    expect(deployment(input).conditions.map(({ type }) => type)).toEqual([
      'Ready',
      'Reconciling',
      'Stalled',
      'Held',
      'RevertPending',
      'Frozen',
      'Diverged',
    ]);
    expect(condition(input, 'Reconciling')).toMatchObject({ reason: 'Canary', since: NOW - 4 * MINUTE });
  });

  test('keep their time while their status stays, whatever the reason, and lose it when it changes', () => {
    const seen = new FirstSeen();
    const ready = (now: number, observed: StatusInput['observed']) =>
      condition(
        inputWith({ seen, now, observed, heard: [{ ...wordOf(rolloutWith()), heardAt: now }] }),
        'Ready',
      );

    expect(ready(NOW, runtimeWith({ state: 'starting' }))).toMatchObject({ status: false, since: NOW });
    expect(ready(NOW + 1, runtimeWith({ instanceId: null }))).toMatchObject({
      reason: 'NotHeard',
      since: NOW,
    });
    expect(ready(NOW + 2, runtimeWith())).toMatchObject({ status: true, since: NOW + 2 });
    expect(ready(NOW + 3, runtimeWith())).toMatchObject({ status: true, since: NOW + 2 });
    expect(ready(NOW + 4, runtimeWith({ state: 'lost' }))).toMatchObject({ status: false, since: NOW + 4 });
  });

  test('Diverged when an instance answers from other shares than the target, not while it is silent', () => {
    const rollout = rolloutWith({ candidate: candidateWith() });
    const state = stateWith({ rollout });
    const behind = [wordOf(rolloutWith())];

    expect(condition(inputWith({ state }), 'Diverged').status).toBe(false);
    expect(condition(inputWith({ state, heard: [] }), 'Diverged').status).toBe(false);
    expect(condition(inputWith({ state, heard: behind }), 'Diverged')).toMatchObject({
      status: true,
      reason: 'ServesOther',
      message: expect.stringMatching(
        /answers from 1\.1\.0 .* 100 %, the target is 1\.1\.0 .* 95 %, 1\.2\.0 .* 5 %/,
      ),
    });
  });

  test('Ready also while the newest revision is still loading: the one before it answers', () => {
    const rollout = rolloutWith({ candidate: candidateWith({ phase: 'baking' }) });

    const input = inputWith({ state: stateWith({ rollout }), heard: [wordOf(rolloutWith())] });

    expect(condition(input, 'Ready')).toMatchObject({ status: true, reason: 'Serving' });
    expect(deployment(input).backends.find(({ role }) => role === 'candidate')?.state).toBe('unknown');
  });

  test('Held by what keeps a newer version out: after a rollback all would look well without it', () => {
    const holds = [holdOn(THREE, { reason: 'golden row 3: score is 0.91 and should be 0.07' }), holdOn(ONE)];
    const input = inputWith({ state: stateWith({ desired: desiredWith({ holds }) }) });

    expect(condition(input, 'Held')).toMatchObject({
      status: true,
      reason: 'NewerHeld',
      message:
        '1.2.0 is newer and on hold by environments/prod/screening/holds/1.2.0.yaml: golden row 3: score is 0.91 and should be 0.07',
    });
    expect(condition(input, 'Stalled').status).toBe(false);
  });

  test('not Held by what keeps an older version out', () => {
    const desired = desiredWith({ wanted: THREE, holds: [holdOn(ONE), holdOn(TWO)] });

    expect(condition(inputWith({ state: stateWith({ desired }) }), 'Held').status).toBe(false);
  });

  test('not Ready for want of a file, which is named', () => {
    const rollout = rolloutWith();
    const word = wordOf(rollout, { routes: {} });
    word.observation.loaded[0] = { ...word.observation.loaded[0]!, state: 'pulling' };
    const failure = { code: 'E_LFS_OBJECT', message: 'The LFS server does not have it.', since: NOW };
    const artifactFailures = new Map([[TWO.artifacts['model.onnx']!.sha256, failure]]);

    expect(condition(inputWith({ heard: [word], artifactFailures }), 'Ready')).toMatchObject({
      status: false,
      reason: 'ArtifactMissing',
      message:
        'models/screening/versions/1.1.0/model.onnx can not be had: The LFS server does not have it (E_LFS_OBJECT)',
    });
  });

  test('Frozen by a freeze of the environment or of this model, not of another one or one that has ended', () => {
    const freeze = {
      apiVersion: 'switchback/v1alpha1' as const,
      kind: 'Freeze' as const,
      reason: 'audit',
      path: 'f',
    };
    const isFrozen = (part: object) =>
      condition(
        inputWith({ state: stateWith({ desired: desiredWith({}, { freezes: [{ ...freeze, ...part }] }) }) }),
        'Frozen',
      ).status;

    expect(isFrozen({})).toBe(true);
    expect(isFrozen({ model: 'screening' })).toBe(true);
    expect(isFrozen({ model: 'other' })).toBe(false);
    expect(isFrozen({ until: new Date(NOW - 1).toISOString() })).toBe(false);
  });
});
