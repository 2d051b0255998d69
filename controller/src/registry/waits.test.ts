import { describe, expect, test } from 'vitest';
import {
  candidateWith,
  desiredWith,
  holdOn,
  inputWith,
  MINUTE,
  NOW,
  RELEASE,
  rollbackIn,
  rolloutWith,
  runtimeWith,
  SCREENING,
  SUBJECT,
  stateWith,
  THREE,
  TWO,
  verdictWith,
  wordOf,
} from './deployed.fixture.ts';
import { FirstSeen } from './first-seen.ts';
import { makeStatus } from './status.ts';
import { condition, deployment, onlyWait, phase, rolled, trueConditions } from './status-parts.fixture.ts';

describe('a wait', () => {
  test('of a canary tells step, requests and time, and how to leave it', () => {
    const input = rolled({ candidate: candidateWith() }, { verdict: verdictWith({ requests: 1_204 }) });
    const early = rolled({ candidate: candidateWith() });

    expect(onlyWait(early)).toEqual({
      what: '1.2.0 is in canary, step 1 of 2 at 5 %: 120 of 500 requests',
      since: NOW - 4 * MINUTE,
      until: NOW + 6 * MINUTE,
      who: 'time, and traffic in prod',
      command: 'switchback abort prod/screening --reason …',
    });
    expect(onlyWait(input)).toMatchObject({ what: expect.stringContaining('1,204 of 500'), who: 'time' });
    expect(phase(early)).toBe('canary');
    expect(trueConditions(early)).toEqual(['Ready', 'Reconciling']);
  });

  test('of a canary counts the requests of this step and ends at the deadline once its time is up', () => {
    const candidate = candidateWith({ step: 1, stepSince: NOW - 40 * MINUTE, stepRequests: 600 });
    const since = candidate.since;
    const input = rolled({ candidate }, { verdict: verdictWith({ requests: 900, verdict: 'inconclusive' }) });

    expect(onlyWait(input)).toMatchObject({
      what: expect.stringMatching(/step 2 of 2 at 50 %: 300 of 5,000 requests; inconclusive: /),
      until: since + 48 * 60 * MINUTE,
      who: 'traffic in prod',
    });
  });

  test('of a bake has no deadline but its time', () => {
    const candidate = candidateWith({ phase: 'baking', step: 2 });
    const later = candidateWith({ phase: 'baking', step: 2, stepSince: NOW - 31 * MINUTE });

    expect(onlyWait(rolled({ candidate }))).toMatchObject({
      what: '1.2.0 is baking, with all the traffic: 120 of 500 requests',
      until: NOW + 26 * MINUTE,
    });
    expect(onlyWait(rolled({ candidate: later }))).toMatchObject({ until: null, who: 'traffic in prod' });
    expect(phase(rolled({ candidate }))).toBe('baking');
  });

  test('of a paused rollout names who paused it and how to resume, and nothing else moves it', () => {
    const paused = { by: 'mei', reason: 'black friday', since: NOW - MINUTE };
    const input = rolled({ candidate: candidateWith(), paused });

    expect(onlyWait(input)).toEqual({
      what: 'the rollout is paused: black friday',
      since: NOW - MINUTE,
      until: null,
      who: 'mei, or anybody who may resume it',
      command: 'switchback resume prod/screening --reason …',
    });
    expect(deployment(input).paused).toBe(true);
    expect(condition(input, 'Stalled')).toMatchObject({
      status: true,
      reason: 'Paused',
      since: NOW - MINUTE,
    });
  });

  test('of an undecided rollout began at its deadline', () => {
    const since = NOW - 49 * 60 * MINUTE;
    const candidate = candidateWith({ phase: 'undecided', since });
    const verdict = verdictWith({ verdict: 'inconclusive', reason: 'too few requests' });

    expect(onlyWait(rolled({ candidate }, { verdict }))).toMatchObject({
      what: '1.2.0 is undecided at its deadline, at 5 %: too few requests',
      since: since + 48 * 60 * MINUTE,
      who: 'a person, or enough traffic to be sure',
    });
    expect(condition(rolled({ candidate }, { verdict }), 'Stalled').reason).toBe('Undecided');
  });

  test('of a first release that is bad says that there is no last good version', () => {
    const halted = { reason: 'errors 40 %', since: NOW - MINUTE };
    const input = rolled({ stable: null, candidate: candidateWith({ phase: 'baking' }), halted });

    expect(onlyWait(input)).toMatchObject({
      what: '1.2.0 is bad and there is no last good version to go back to: errors 40 %',
      command: 'switchback promote screening@<version> prod',
    });
    expect(phase(input)).toBe('halted');
    expect(condition(input, 'Stalled').reason).toBe('Halted');
  });

  test('of a release that names a held digest names the file to delete', () => {
    const desired = desiredWith({ wanted: THREE, holds: [holdOn(TWO), holdOn(THREE)] });
    const input = inputWith({ state: stateWith({ desired }) });

    expect(onlyWait(input)).toMatchObject({
      what: expect.stringContaining('delete environments/prod/screening/holds/1.2.0.yaml to lift it'),
      until: null,
      command: 'git rm environments/prod/screening/holds/1.2.0.yaml && git commit',
    });
    expect(trueConditions(input)).toEqual(['Ready', 'Stalled', 'Held']);
  });

  test('of a hold with an end lasts until then, and a hold that has ended holds nothing', () => {
    const until = (at: number) => new Date(at).toISOString();
    const held = (at: number) =>
      inputWith({
        state: stateWith({
          desired: desiredWith({ wanted: THREE, holds: [holdOn(THREE, { until: until(at) })] }),
        }),
      });

    expect(onlyWait(held(NOW + MINUTE)).until).toBe(NOW + MINUTE);
    expect(condition(held(NOW - MINUTE), 'Held').status).toBe(false);
  });

  test('of a release that can’t be read repeats the problem and says that what runs stays', () => {
    const problem = {
      code: 'E_REFERENCE',
      severity: 'error' as const,
      path: RELEASE,
      message: `${RELEASE} names version "1.9.0", which is not there`,
      remedy: 'Did you mean "1.0.0"?',
    };
    const other = { ...problem, path: 'environments/prod/other/release.yaml', message: 'of another model' };
    const desired = { ...desiredWith({ wanted: null }), problems: [other, problem] };
    const input = inputWith({ state: stateWith({ desired }) });

    expect(onlyWait(input)).toEqual({
      what: `${RELEASE} to be mended: ${problem.message}; what runs stays`,
      since: NOW - 10 * MINUTE,
      until: null,
      who: `whoever changed ${RELEASE}`,
      command: 'switchback validate',
    });
  });

  test('of a promotion is its gates, since they were first named', () => {
    const gate = { what: 'prod is frozen: audit', since: NOW, until: null, who: 'ana', command: 'git rm …' };
    const seen = new FirstSeen();
    const at = (now: number) =>
      inputWith({
        seen,
        now,
        state: stateWith({ promotionWaits: new Map([[SUBJECT, [{ ...gate, since: now }]]]) }),
      });

    expect(onlyWait(at(NOW))).toEqual(gate);
    expect(onlyWait(at(NOW + 5000))).toEqual(gate);
  });

  test('of a first promotion is shown before there is any deployment', () => {
    const gate = { what: '1.0.0 soaks in staging', since: NOW, until: null, who: 'time', command: '…' };
    const desired = desiredWith({}, { deployments: new Map() });
    const promotionWaits = new Map([[SUBJECT, [gate]]]);
    const input = inputWith({ state: stateWith({ rollout: null, desired, promotionWaits }) });

    expect(deployment(input)).toMatchObject({ model: SCREENING, version: null, backends: [], waits: [gate] });
  });

  test.each([
    [
      'traffic goes first',
      'intended',
      {},
      null,
      'all traffic back to the last good revision',
      'TrafficMoving',
    ],
    ['git is next', 'moved', {}, null, 'the revert is not in git yet', 'NotPushed'],
    [
      'the remote is away',
      'moved',
      {},
      'no route',
      "the remote can't be reached: no route",
      'RemoteUnreachable',
    ],
    ['git has it', 'pushed', {}, null, 'not yet seen at main', 'NotSeen'],
    [
      'a person must merge',
      'refused',
      { branch: 'switchback/rollback/x', reason: 'waits for a person' },
      null,
      'the revert is on branch switchback/rollback/x, waits for a person',
      'WaitsForPerson',
    ],
    [
      'the remote refuses all',
      'refused',
      { reason: 'protected branch' },
      null,
      'the remote refuses the revert: protected branch',
      'WaitsForPerson',
    ],
  ] as const)('of a rollback while %s', (_, state, result, failure, what, reason) => {
    const contact = {
      reachedAt: NOW,
      failure: failure ? { code: 'E_GIT_UNREACHABLE', message: failure } : null,
    };
    const open = [rollbackIn(state, result)];
    const input = inputWith({ state: stateWith({ open }), contact });

    expect(onlyWait(input)).toMatchObject({ what: expect.stringContaining(what), since: NOW - MINUTE });
    expect(phase(input)).toBe('rolling-back');
    expect(condition(input, 'RevertPending')).toMatchObject({
      status: true,
      reason,
      since: NOW - 2 * MINUTE,
    });
    expect(makeStatus(input).operations).toEqual([
      {
        id: open[0]?.id,
        kind: 'rollback',
        subject: SUBJECT,
        state,
        since: NOW - MINUTE,
        summary: 'prod/screening back from 1.2.0 to 1.1.0: errors 5.1 % against 0.1 %, after 1,204 requests',
        waits: [onlyWait(input)],
      },
    ]);
  });

  test('of a refused branch says how a person merges it', () => {
    const open = [rollbackIn('refused', { branch: 'switchback/rollback/x' })];

    expect(onlyWait(inputWith({ state: stateWith({ open }) })).command).toBe(
      'git fetch origin && git merge origin/switchback/rollback/x && git push',
    );
  });

  test.each([
    ['pulling', '1.1.0 to be pulled: the runtime does not have its artifacts yet'],
    ['loading', '1.1.0 to be loaded and to give its golden answers'],
    ['failed', 'a version that can be served: 1.1.0 failed, the runtime gave no reason'],
  ] as const)('of a revision that is %s says what the runtime does', (state, what) => {
    const word = wordOf(rolloutWith());
    word.observation.loaded[0] = { ...word.observation.loaded[0]!, state };

    expect(onlyWait(inputWith({ heard: [word] })).what).toBe(what);
  });

  test('of a file that LFS does not have names it, who can bring it and how, and nothing else of that version', () => {
    const rollout = rolloutWith();
    const word = wordOf(rollout);
    word.observation.loaded[0] = { ...word.observation.loaded[0]!, state: 'pulling' };
    const digest = TWO.artifacts['model.onnx']!.sha256;
    const failure = {
      code: 'E_LFS_OBJECT',
      message: 'The LFS server does not have it.',
      since: NOW - MINUTE,
    };
    const input = inputWith({ heard: [word], artifactFailures: new Map([[digest, failure]]) });

    expect(onlyWait(input)).toEqual({
      what: '1.1.0 to be pulled: models/screening/versions/1.1.0/model.onnx can not be had: The LFS server does not have it (E_LFS_OBJECT)',
      since: NOW - MINUTE,
      until: null,
      who: 'whoever pushed it, from a clone that has the file',
      command: 'git lfs push --all origin',
    });
  });

  test('of a file that a runtime has by now is none', () => {
    const digest = TWO.artifacts['model.onnx']!.sha256;
    const failure = {
      code: 'E_LFS_OBJECT',
      message: 'The LFS server does not have it.',
      since: NOW - MINUTE,
    };

    expect(deployment(inputWith({ artifactFailures: new Map([[digest, failure]]) })).waits).toEqual([]);
  });

  test('of a newest version that was changed names the version and not an unknown hold', () => {
    const path = 'models/screening/versions/1.2.0/version.yaml';
    const problem = {
      code: 'E_VERSION_CHANGED',
      severity: 'error' as const,
      path,
      message: `${path} was changed after 4f2a91c introduced it`,
      remedy: 'Restore it.',
    };
    const desired = {
      ...desiredWith({ wanted: null }, { promotion: { by: 'newest' } }),
      problems: [problem],
    };
    const input = inputWith({ state: stateWith({ desired }) });

    expect(onlyWait(input)).toMatchObject({
      what: `${path} to be mended: ${problem.message}; what runs stays`,
      who: `whoever changed ${path}`,
    });
    expect(condition(input, 'Stalled')).toMatchObject({ reason: 'ManifestBroken', message: problem.message });
  });

  test.each([
    ['lost', 'to be replaced: it died or does not answer'],
    ['starting', 'to answer for the first time'],
  ] as const)('of a runtime that is %s', (state, what) => {
    const input = inputWith({ observed: runtimeWith({ state }) });

    expect(onlyWait(input)).toMatchObject({ what: expect.stringContaining(what), since: NOW });
    expect(condition(input, 'Ready')).toMatchObject({ status: false, reason: 'NoRuntime' });
  });

  test.each([
    ['prod is in mode observe', { mode: 'observe' as const }, { candidate: candidateWith() }, 'rollback'],
    ['no newer revision is there to leave', {}, {}, 'rollback'],
    ['its objective asks to page', {}, { candidate: candidateWith() }, 'page'],
    ['its rollback begins with the next cycle', {}, { candidate: candidateWith() }, 'rollback'],
    [
      'there is no last good version to go back to',
      {},
      { stable: null, candidate: candidateWith() },
      'rollback',
    ],
  ] as const)('of a bad revision that stays says why: %s', (why, policy, rollout, breach) => {
    const verdict = verdictWith({ verdict: 'degraded', breach, reason: 'errors 9 %' });
    const state = stateWith({ rollout: rolloutWith(rollout), verdict, desired: desiredWith({}, policy) });

    expect(onlyWait(inputWith({ state }))).toMatchObject({
      what: expect.stringContaining(`is degraded: errors 9 %; not rolled back, ${why}`),
      who: 'a person',
      command: 'switchback rollback prod/screening --reason …',
    });
    expect(condition(inputWith({ state }), 'Stalled').reason).toBe('Degraded');
  });

  test.each([
    [
      'withheld',
      { reason: '2 rollbacks in 60 min already' },
      'it was withheld: 2 rollbacks in 60 min already',
    ],
    ['done', {}, 'this very rollback was made before'],
  ] as const)('of a bad revision whose rollback was %s says so', (state, result, why) => {
    const verdict = verdictWith({ verdict: 'degraded', breach: 'rollback', reason: 'errors 9 %' });
    const rollout = rolloutWith({ candidate: candidateWith() });
    const open = [rollbackIn(state, result)];

    expect(onlyWait(inputWith({ state: stateWith({ rollout, verdict, open }) })).what).toBe(
      `1.2.0 is degraded: errors 9 %; not rolled back, ${why}`,
    );
  });
});
