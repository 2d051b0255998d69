import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeStatus, Status } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { inputWith, rolloutWith, stateWith, wordOf } from '../registry/deployed.fixture.ts';
import { makeStatus } from '../registry/status.ts';
import type { Check } from './doctor/check.ts';
import { judgeAnswer } from './doctor/lfs.ts';
import {
  isolationCheck,
  judgeDisk,
  judgeGit,
  judgeLimits,
  machineLimits,
  nodeCheck,
} from './doctor/machine.ts';
import { clockCheck, credentialsCheck, judgeClock, manifestsCheck } from './doctor/repository.ts';
import { judgeLoaded, runningChecks } from './doctor/running.ts';
import { portChecks, stateChecks } from './doctor/state.ts';
import { doctor } from './doctor.ts';
import { type ModelRepository, modelRepositories } from './model-repository.fixture.ts';
import { productVersion } from './version.ts';
import { changeRepository } from './workspace/open.ts';

let seeds: Awaited<ReturnType<typeof modelRepositories>>;
let repository: ModelRepository;
beforeAll(async () => {
  seeds = await modelRepositories();
  repository = await seeds.make();
});
afterAll(async () => {
  await repository[Symbol.asyncDispose]();
  await seeds[Symbol.asyncDispose]();
});

const GIB = 2 ** 30;
const found = (checks: readonly Check[], name: string): Check | undefined =>
  checks.find(check => check.name === name);
const { signal } = new AbortController();

async function temporary(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-doctor-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

async function listening(answer: RequestListener): Promise<{ address: string } & AsyncDisposable> {
  const server = createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

describe('doctor', () => {
  it('finds a sound repository well, without a controller and without a trace', async () => {
    const before = repository.git('for-each-ref');

    const { checks, failed } = await doctor(repository.options);

    expect(failed, JSON.stringify(checks.filter(({ state }) => state === 'FAIL'))).toBe(0);
    for (const name of ['branch', 'push', 'lfs', 'manifests'])
      expect(found(checks, name), name).toMatchObject({ state: 'ok' });
    expect(found(checks, 'controller')).toMatchObject({ state: 'skip' });
    expect(repository.git('for-each-ref')).toBe(before);
  });

  it('names what is wrong in the repository, and the remedy', async () => {
    await using broken = await repository.copy();
    await changeRepository(broken.options, () => ({
      kind: 'change',
      edits: new Map([['environments/prod/screening/release.yaml', 'mood: act\n']]),
      subject: 'break it',
      paragraphs: [],
      did: '',
      undo: () => '',
    }));
    await rm(join(broken.bare, 'lfs'), { recursive: true });

    const { checks, failed } = await doctor(broken.options);

    expect(failed).toBe(2);
    expect(found(checks, 'manifests')).toMatchObject({
      state: 'FAIL',
      said: expect.stringMatching(/^environments\/prod\/screening\/release\.yaml:1 /),
      remedy: expect.stringContaining('switchback validate'),
    });
    expect(found(checks, 'lfs')).toMatchObject({
      state: 'FAIL',
      remedy: expect.stringContaining('git lfs push'),
    });
  });

  it('finds the one file out of many that was not pushed, though the newest were', async () => {
    await using broken = await repository.copy();
    const pointer = broken.git('show', 'main:models/wine/versions/1.0.0/model.onnx');
    const oid = /sha256:(\w+)/.exec(pointer)?.[1] ?? '';
    await rm(join(broken.bare, 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid));

    const { checks } = await doctor(broken.options);

    expect(found(checks, 'lfs')).toMatchObject({
      state: 'FAIL',
      said: expect.stringContaining('lacks the object of models/wine/versions/1.0.0/model.onnx'),
    });
  });

  it('tells a branch that is not there from a remote that does not answer', async () => {
    const noBranch = await doctor({ ...repository.options, base: 'mian' });
    const noRemote = await doctor({ ...repository.options, repo: join(repository.folder, 'nowhere.git') });

    expect(found(noBranch.checks, 'branch')).toMatchObject({
      state: 'FAIL',
      said: expect.stringContaining('mian'),
    });
    expect(found(noRemote.checks, 'repository')).toMatchObject({ state: 'FAIL' });
  });

  it('says that it knows no repository rather than failing', async () => {
    await using outside = await temporary();

    const { checks } = await doctor({ ...repository.options, repo: undefined, directory: outside.folder });

    expect(found(checks, 'repository')).toMatchObject({
      state: 'skip',
      said: expect.stringContaining('--repo'),
    });
  });
});

describe('this machine', () => {
  it.each([
    [nodeCheck('24.1.0'), 'ok'],
    [nodeCheck('22.9.0'), 'FAIL'],
    [judgeGit('git version 2.39.5\n'), 'ok'],
    [judgeGit('git version 3.0.0 (Apple)'), 'ok'],
    [judgeGit('git version 2.37.9'), 'FAIL'],
    [judgeGit(null), 'FAIL'],
    [judgeDisk(100 * GIB, '/x'), 'ok'],
    [judgeDisk(GIB, '/x'), 'warn'],
    [judgeDisk(GIB / 10, '/x'), 'FAIL'],
    [judgeLimits({ memoryBytes: 8 * GIB, processors: 2 }, 2 * GIB), 'ok'],
    [judgeLimits({ memoryBytes: 2 * GIB, processors: 0.5 }, 2 * GIB), 'warn'],
    [judgeLimits({ memoryBytes: 2 * GIB, processors: 2 }, null), 'skip'],
    [judgeClock(10_000, 10_200, 10_000), 'ok'],
    [judgeClock(10_000, 10_200, 30_000), 'warn'],
    [judgeClock(500_000, 500_200, 30_000), 'FAIL'],
    [credentialsCheck({ kind: 'https' }, {}), 'warn'],
    [credentialsCheck({ kind: 'https' }, { SWITCHBACK_GIT_TOKEN: 'secret' }), 'ok'],
    [credentialsCheck({ kind: 'ssh' }, {}), 'warn'],
    [manifestsCheck([], 'main'), 'ok'],
  ])('$0.name: $0.said', ({ state, remedy }, wanted) => {
    expect(state).toBe(wanted);
    expect(remedy === null).toBe(wanted === 'ok' || wanted === 'skip');
  });

  it('has the limits of its control group where they are tighter', () => {
    const files: Record<string, string> = {
      '/sys/fs/cgroup/memory.max': String(GIB),
      '/sys/fs/cgroup/cpu.max': '150000 100000',
    };
    const machine = { memoryBytes: 4 * GIB, processors: 8 };

    expect(machineLimits(file => files[file] ?? null, machine)).toEqual({
      memoryBytes: GIB,
      processors: 1.5,
    });
    expect(machineLimits(() => 'max', machine)).toEqual(machine);
    expect(machineLimits(() => null, machine)).toEqual(machine);
  });

  it('misses the programs that keep engines within bounds', async () => {
    await using empty = await temporary();

    expect(await isolationCheck('linux', empty.folder)).toMatchObject({
      state: 'warn',
      said: expect.stringContaining('prlimit and setpriv are missing'),
    });
    expect(await isolationCheck('darwin')).toMatchObject({ state: 'warn' });
  });

  it('tells the time by the remote', async () => {
    await using late = await listening((_, response) => {
      response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString()).end();
    });
    const remote = { kind: 'http' as const, url: `${late.address}/models.git` };

    expect(await clockCheck(remote, { clock: systemClock, signal })).toMatchObject({
      state: 'FAIL',
      said: expect.stringMatching(/^3(?:599|600|601) s ahead of the remote$/),
    });
  });
});

describe('the state directory', () => {
  it('is well when it is yours alone, and worth a word when others may look in', async () => {
    await using state = await temporary();
    await writeFile(join(state.folder, 'operator-token'), 'secret', { mode: 0o600 });
    const states = async () => (await stateChecks(state.folder)).map(check => check.state);

    expect(await states()).toEqual(['ok', 'ok']);
    await chmod(state.folder, 0o755);
    expect(await states()).toEqual(['warn', 'ok']);
  });

  it('fails when others can read a secret, which is not printed', async () => {
    await using state = await temporary();
    await mkdir(join(state.folder, 'keys'));
    await writeFile(join(state.folder, 'keys', 'prod'), 'topsecret', { mode: 0o644 });

    const checks = await stateChecks(state.folder);

    expect(found(checks, 'secrets')).toMatchObject({
      state: 'FAIL',
      remedy: expect.stringContaining(`chmod 600 ${join(state.folder, 'keys', 'prod')}`),
    });
    expect(JSON.stringify(checks)).not.toContain('topsecret');
  });

  it('of another user, or none at all, is told apart', async () => {
    await using state = await temporary();

    expect((await stateChecks(state.folder, 123_456))[0]).toMatchObject({ state: 'FAIL' });
    expect((await stateChecks(join(state.folder, 'none')))[0]).toMatchObject({ state: 'skip' });
  });

  it('remembers a port that somebody else has now', async () => {
    await using state = await temporary();
    await using other = await listening((_, response) => response.end());
    const { port } = new URL(other.address);
    await writeFile(join(state.folder, 'port'), port);

    expect(await portChecks(state.folder, false)).toMatchObject([
      { state: 'warn', said: expect.stringContaining(port) },
    ]);
    expect(await portChecks(state.folder, true)).toEqual([]);
  });
});

describe('LFS', () => {
  const object = { path: 'models/fraud/versions/1.0.0/model.onnx', oid: 'a'.repeat(64), size: 5 };
  const answer = (part: object) => ({
    status: 200,
    text: JSON.stringify({ objects: [{ oid: object.oid, ...part }] }),
  });

  it.each([
    ['gives the object', answer({ actions: { download: { href: 'https://x/y' } } }), 'ok', /gives models/],
    ['lacks the object', answer({ error: { code: 404, message: 'gone' } }), 'FAIL', /does not give .*: gone/],
    ['names no download', answer({}), 'FAIL', /names no download/],
    ['does not let us in', { status: 401, text: '' }, 'FAIL', /does not accept the credentials \(401\)/],
    ['is not there', { status: 404, text: 'not found' }, 'FAIL', /no LFS server answers there \(404\)/],
    ['is something else', { status: 200, text: '<html>' }, 'FAIL', /does not speak the LFS batch API/],
  ] as const)('that %s', (_, given, state, said) => {
    expect(judgeAnswer(given, [object])).toMatchObject({ state, said: expect.stringMatching(said) });
  });
});

it('an LFS server that lacks one of the files that are wanted is found out, though it gives the newest', () => {
  const path = (version: string) => `models/fraud/versions/${version}/model.onnx`;
  const wanted = ['1.1.0', '1.0.0', '0.9.0'].map((version, index) => ({
    ...{ path: path(version), size: 5 },
    oid: String(index).repeat(64),
  }));
  const [newest, ...others] = wanted.map(({ oid }) => oid);
  const objects = [
    { oid: newest, actions: { download: { href: 'https://x/y' } } },
    ...others.map(oid => ({ oid, error: { code: 404, message: 'Object does not exist' } })),
  ];

  expect(judgeAnswer({ status: 200, text: JSON.stringify({ objects }) }, wanted)).toMatchObject({
    state: 'FAIL',
    said: `the LFS server does not give ${path('1.0.0')} (and 1 more): Object does not exist`,
    remedy: expect.stringContaining('git lfs push --all origin'),
  });
});

describe('what runs', () => {
  it('is not well while a version waits for a file that can not be had', () => {
    const { loaded } = wordOf(rolloutWith()).observation;
    const failure = {
      code: 'E_ARTIFACT_PULL',
      message: 'Artifact 4be1 could not be pulled: it answered 502.',
    };
    const waiting = loaded.map(entry => ({ ...entry, state: 'pulling' as const, failure }));

    expect(judgeLoaded('runtime of prod', loaded, 'look')).toBeNull();
    expect(judgeLoaded('runtime of prod', waiting, 'look')).toMatchObject({
      state: 'FAIL',
      said: expect.stringMatching(/^screening@1\.1\.0 waits for its files: .*502/),
      remedy: expect.stringContaining('switchback status'),
    });
  });

  it('is looked at runtime by runtime, each by its own number, also when the first is not there', async () => {
    await using state = await temporary();
    const rollout = rolloutWith();
    const now = makeStatus(inputWith({ state: stateWith({ rollout }) }));
    await using server = await listening(({ url = '' }, response) => {
      const answers: Record<string, unknown> = {
        '/readyz': { ready: true, reasons: [] },
        '/api/v1alpha1/openapi.json': { info: { version: productVersion() } },
        '/api/v1alpha1/status': withRuntimes(now, server.address),
        '/runtime/v1/observation': wordOf(rollout).observation,
      };
      response.writeHead(url in answers ? 200 : 404).end(JSON.stringify(answers[url] ?? {}));
    });
    const common = { repository: '/r', branch: 'main', root: '', startedAt: 1 };
    const controller = { ...common, address: server.address, pid: process.pid };
    await writeFile(join(state.folder, 'controller.json'), JSON.stringify(controller));
    for (const name of ['operator-token', 'runtime-token'])
      await writeFile(join(state.folder, name), 'a-token\n');
    const second = join(state.folder, 'runtimes', 'prod.1');
    await mkdir(second, { recursive: true });
    await writeFile(join(second, 'snapshot.json'), '{}');
    const then = new Date(Date.now() - 600_000);
    await utimes(join(second, 'snapshot.json'), then, then);

    const { checks } = await runningChecks({ state: state.folder, clock: systemClock, signal });

    expect(found(checks, 'runtime of prod.1')).toMatchObject({
      state: 'ok',
      said: expect.stringContaining('10 min old'),
    });
    expect(found(checks, 'runtime of prod.2')).toMatchObject({
      state: 'FAIL',
      remedy: 'Look at its words: switchback logs prod',
    });
  });

  it('is told apart: never started, died, does not answer, is not ready', async () => {
    await using state = await temporary();
    await using server = await listening(({ url }, response) => {
      const body =
        url === '/readyz' ? { ready: false, reasons: ['no commit yet'] } : { info: { version: '0.0.1' } };
      response.end(JSON.stringify(url?.includes('status') ? { code: 'E_LEDGER', detail: 'broken' } : body));
    });
    const look = async (controller: object | null): Promise<Check | undefined> => {
      const file = join(state.folder, 'controller.json');
      const common = { repository: '/r', branch: 'main', root: '', startedAt: 1 };
      if (controller) await writeFile(file, JSON.stringify({ ...common, ...controller }));
      const running = await runningChecks({ state: state.folder, clock: systemClock, signal }).catch(
        () => null,
      );
      return running?.checks[0];
    };

    expect(await look(null)).toMatchObject({ state: 'skip' });
    expect(await look({ address: server.address, pid: 2 ** 30 })).toMatchObject({
      state: 'FAIL',
      said: expect.stringContaining('is gone'),
    });
    expect(await look({ address: 'http://127.0.0.1:9', pid: process.pid })).toMatchObject({
      state: 'FAIL',
      said: expect.stringContaining('does not answer'),
    });
  });
});

/** Of the only environment: its second runs, its third does not, and nothing is known of its first. */
function withRuntimes(status: Status, address: string): Status {
  const runtimes: RuntimeStatus[] = [
    { name: 'prod.1', replica: 1, address, state: 'running', pid: 11 },
    { name: 'prod.2', replica: 2, address, state: 'lost', pid: null },
  ];
  return { ...status, environments: status.environments.map(each => ({ ...each, runtimes })) };
}
