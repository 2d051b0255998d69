import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Artifact, CommitSha, ServingSnapshot } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SwitchbackError } from '../../error.ts';
import { plan } from '../../plan/plan.ts';
import {
  candidateWith,
  desiredWith,
  HEAD,
  PROD,
  rolloutWith,
  SCREENING,
  stateWith,
  THREE,
  TWO,
  VERSIONS,
} from '../../registry/deployed.fixture.ts';
import { routeOf } from '../../rollout/rollout.ts';
import type { RolloutState } from '../../rollout/rollout-state.ts';
import { appOf, artifactsIn, bearer, type TestWorld, worldWith } from '../world.fixture.ts';

const URL_OF_PROD = '/runtime/v1/environments/prod/snapshot';
const SIGNAL = new AbortController().signal;

describe('a snapshot', () => {
  test('is given with its generation as tag, and not again to who has it', async () => {
    await using world = await worldWith();
    const { generation } = await publish(world, rolloutWith());

    const first = await pull(world);
    const again = await pull(world, { tag: `"${generation}"` });

    expect(first.statusCode).toBe(200);
    expect(ServingSnapshot.parse(first.json())).toEqual(first.json());
    expect(first.headers['etag']).toBe(`"${generation}"`);
    expect(again.statusCode).toBe(304);
    expect(again.headers['etag']).toBe(`"${generation}"`);
    expect(again.body).toBe('');
  });

  test.each([
    ['"0123456789abcdef"', 200],
    ['"not ours"', 200],
    ['*', 200],
    ['', 200],
  ])('is given at once to who has %j, however long they would wait', async (tag, status) => {
    await using world = await worldWith();
    await publish(world, rolloutWith());

    expect((await pull(world, { tag, wait: 30 })).statusCode).toBe(status);
    expect(world.clock.sleeping()).toBe(0);
  });

  test('that comes while a runtime waits is given at once', async () => {
    await using world = await worldWith();
    const { generation } = await publish(world, rolloutWith());
    const waiting = pull(world, { tag: `"${generation}"`, wait: 30 });
    await expect.poll(() => world.clock.sleeping()).toBe(1);

    const next = await publish(world, rolloutWith({ candidate: candidateWith() }));

    expect((await waiting).json()).toEqual(next);
    expect(world.clock.sleeping()).toBe(0);
  });

  test('that does not change is said to be unchanged when the time is up', async () => {
    await using world = await worldWith();
    const { generation } = await publish(world, rolloutWith());
    const waiting = pull(world, { tag: `"${generation}"`, wait: 25 });
    await expect.poll(() => world.clock.sleeping()).toBe(1);

    world.clock.pass(25_000);

    expect((await waiting).statusCode).toBe(304);
  });

  test('of an environment for which there is none is 404, so that no runtime takes it for an empty one', async () => {
    await using world = await worldWith();

    expect((await pull(world)).json()).toMatchObject({ status: 404, code: 'E_NOT_FOUND' });
  });
});

describe('an artifact', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'switchback-artifacts-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('that a version in git names is streamed whole, with its length', async () => {
    const artifacts = artifactsIn(directory);
    await using world = await worldWith({ artifacts });
    const { sha256, size } = model(0);

    const answer = await fetchArtifact(world, sha256);

    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-length': String(size),
      'content-type': 'application/octet-stream',
      etag: `"${sha256}"`,
    });
    expect(answer.rawPayload.equals(Buffer.alloc(size, 7))).toBe(true);
    expect(artifacts.asked).toEqual([{ digest: sha256, sizeBytes: size }]);
  });

  test('that is served still, though git has dropped its version, is given too', async () => {
    const desired = { ...desiredWith(), models: new Map() };
    const rollout = rolloutWith({ stable: TWO, candidate: candidateWith({ revision: THREE }) });
    const artifacts = artifactsIn(directory);
    await using world = await worldWith({ artifacts, state: stateWith({ desired, rollout }) });

    for (const index of [1, 2])
      expect((await fetchArtifact(world, model(index).sha256)).statusCode).toBe(200);
    expect((await fetchArtifact(world, model(0).sha256)).statusCode).toBe(404);
  });

  test('that stands in a published snapshot alone is given too', async () => {
    const state = stateWith({ desired: null, rollout: null });
    await using world = await worldWith({ artifacts: artifactsIn(directory), state });
    await publish(world, rolloutWith());

    expect((await fetchArtifact(world, model(1).sha256)).statusCode).toBe(200);
  });

  test('that nobody names is not even looked for', async () => {
    await using world = await worldWith({ artifacts: artifactsIn(directory) });
    await writeFile(join(directory, 'f'.repeat(64)), 'of somebody else');

    for (const sha256 of ['f'.repeat(64), '..%2f..%2foperator-token', 'F'.repeat(64)])
      expect((await fetchArtifact(world, sha256)).json(), sha256).toMatchObject({ code: 'E_NOT_FOUND' });
  });

  test.each([
    ['E_LFS_UNREACHABLE', 503],
    ['E_LFS_DIGEST', 502],
  ] as const)('that can’t be had fails with %s as such', async (code, status) => {
    const artifacts = { ensure: () => Promise.reject(new SwitchbackError(code, 'no artifact')) };
    await using world = await worldWith({ artifacts });

    expect((await fetchArtifact(world, model(0).sha256)).json()).toMatchObject({ status, code });
  });

  test('whose file has another length is not sent', async () => {
    const path = join(directory, 'short');
    await writeFile(path, 'short');
    await using world = await worldWith({ artifacts: { ensure: async () => path } });

    expect((await fetchArtifact(world, model(0).sha256)).json()).toMatchObject({ code: 'E_LFS_DIGEST' });
  });
});

async function publish(world: TestWorld, rollout: RolloutState): Promise<ServingSnapshot> {
  const planned = plan({
    target: new Map([[PROD, new Map([[SCREENING, routeOf(rollout)!]])]]),
    commit: CommitSha.parse(HEAD),
    keys: new Map(),
    replace: new Map(),
    observed: world.actuation.observe(),
  });
  for (const action of planned) await world.actuation.apply(action, SIGNAL);
  const snapshot = world.actuation.observe().published.get(PROD);
  if (!snapshot) throw new Error(`nothing was published`);
  return snapshot;
}

async function pull(world: TestWorld, { tag, wait = 0 }: { tag?: string; wait?: number } = {}) {
  await using app = appOf(world);
  const headers = { ...bearer('runtime'), ...(tag === undefined ? {} : { 'if-none-match': tag }) };
  return await app.inject({ url: `${URL_OF_PROD}?wait=${wait}`, headers });
}

async function fetchArtifact(world: TestWorld, sha256: string) {
  await using app = appOf(world);
  return await app.inject({ url: `/runtime/v1/artifacts/${sha256}`, headers: bearer('runtime') });
}

function model(index: number): Artifact {
  return VERSIONS[index]?.artifacts['model.onnx'] as Artifact;
}
