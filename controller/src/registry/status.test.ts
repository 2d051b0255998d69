import { Status } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import {
  candidateWith,
  desiredWith,
  HEAD,
  inputWith,
  NOW,
  PROD,
  rolloutWith,
  runtimeWith,
  stateWith,
  THREE,
  TWO,
  viewWith,
  wordOf,
} from './deployed.fixture.ts';
import type { StatusInput } from './status.ts';
import { makeStatus } from './status.ts';
import { condition, deployment, onlyWait, trueConditions } from './status-parts.fixture.ts';

describe('status', () => {
  test('of a settled deployment is what the schema says, with nothing to wait for', () => {
    const status = makeStatus(inputWith());

    expect(Status.parse(status)).toEqual(status);
    const { backends, phase, waits, version } = deployment(inputWith());
    expect({ phase, waits, version }).toEqual({ phase: 'steady', waits: [], version: '1.1.0' });
    expect(backends).toEqual([
      { version: '1.1.0', revision: TWO.id, weight: 100, role: 'stable', state: 'ready' },
    ]);
    expect(trueConditions(inputWith())).toEqual(['Ready']);
  });

  test('says where the repository stands and for how long the remote has been silent', () => {
    const contact = { reachedAt: NOW - 90_000, failure: { code: 'E_GIT_UNREACHABLE', message: 'no route' } };

    expect(makeStatus(inputWith({ contact })).repository).toEqual({
      url: 'https://git.example/team/models.git',
      branch: 'main',
      commit: HEAD,
      subject: 'prod/screening: promote 1.1.0',
      ageMs: 90_000,
      failure: 'E_GIT_UNREACHABLE: no route',
    });
  });

  test('names the commit that was acted on, not one that was only seen', () => {
    const view = viewWith({ head: 'b'.repeat(40) as never, subject: 'newer' });

    const { commit, subject } = makeStatus(inputWith({ view })).repository;
    expect({ commit, subject }).toEqual({ commit: HEAD, subject: null });
  });

  test('before the first cycle is empty and says so without inventing an age', () => {
    const state = stateWith({ rollout: null, desired: null, head: null });
    const contact = { reachedAt: null, failure: null };

    const status = makeStatus(inputWith({ state, view: null, contact }));

    expect(status.environments).toEqual([]);
    expect(status.repository).toMatchObject({ commit: null, ageMs: null, failure: null });
  });

  test('gives the address of a running runtime only', () => {
    const address = (runtime: Parameters<typeof runtimeWith>[0]) =>
      makeStatus(inputWith({ observed: runtimeWith(runtime) })).environments[0]?.address;

    expect(address({})).toBe('http://127.0.0.1:4181');
    expect(address({ state: 'lost' })).toBeNull();
  });

  test('names each runtime of an environment, and where it alone answers', () => {
    const observed = runtimeWith({
      replica: 1,
      ownAddress: 'http://127.0.0.1:5181',
      grpcAddress: '127.0.0.1:9',
    });

    const [environment] = makeStatus(inputWith({ observed })).environments;

    expect(environment).toMatchObject({
      address: 'http://127.0.0.1:4181',
      grpcAddress: '127.0.0.1:9',
      runtimes: [{ name: 'prod.1', replica: 1, address: 'http://127.0.0.1:5181', state: 'running' }],
    });
  });

  test('lists an environment that can’t be read with what runs there', () => {
    const desired = { ...desiredWith(), environments: new Map(), broken: new Set([PROD]) };
    const problem = {
      code: 'E_MANIFEST_SYNTAX',
      severity: 'error' as const,
      path: 'environments/prod/environment.yaml',
      message: 'a colon is missing in line 3',
      remedy: 'Mend it.',
    };
    const input = inputWith({ state: stateWith({ desired: { ...desired, problems: [problem] } }) });

    expect(makeStatus(input).environments.map(({ name }) => name)).toEqual(['prod']);
    expect(deployment(input)).toMatchObject({ version: null, phase: 'steady' });
    expect(onlyWait(input).what).toContain('a colon is missing in line 3');
    expect(condition(input, 'Stalled')).toMatchObject({ status: true, reason: 'ManifestBroken' });
  });
});

describe('backends', () => {
  test('carry the target’s weights and what the runtime attests of each', () => {
    const rollout = rolloutWith({ candidate: candidateWith() });
    const word = wordOf(rollout);
    word.observation.loaded[1] = {
      ...word.observation.loaded[1]!,
      state: 'failed',
      failure: { code: 'E_MODEL_GOLDEN', message: 'row 3 differs' },
    };

    expect(deployment(inputWith({ state: stateWith({ rollout }), heard: [word] })).backends).toEqual([
      { version: '1.1.0', revision: TWO.id, weight: 95, role: 'stable', state: 'ready' },
      {
        version: '1.2.0',
        revision: THREE.id,
        weight: 5,
        role: 'candidate',
        state: 'failed',
        failure: 'row 3 differs',
      },
    ]);
  });

  test.each([
    ['nothing was heard', { heard: [] }],
    ['the word is of an instance that was replaced', { observed: runtimeWith({ instanceId: null }) }],
    ['the word is old', { heard: [{ ...wordOf(rolloutWith()), heardAt: NOW - 20_000 }] }],
  ] as [string, Partial<StatusInput>][])('are unknown when %s', (_, part) => {
    expect(deployment(inputWith(part)).backends[0]?.state).toBe('unknown');
    expect(condition(inputWith(part), 'Ready').status).toBe(false);
  });
});
