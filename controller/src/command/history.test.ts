import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { EnvironmentName, ModelName, VersionLabel } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ONE } from '../registry/deployed.fixture.ts';
import { recordOf } from '../registry/history.fixture.ts';
import { history, historyAt } from './history.ts';
import { hold } from './hold.ts';
import { ADA, type ModelRepository, modelRepositories } from './model-repository.fixture.ts';
import type { ReadOptions } from './workspace/read.ts';

const PROD = 'prod' as EnvironmentName;
const SCREENING = 'screening' as ModelName;
const DEPLOYMENT = { environment: PROD, model: SCREENING };
const BEGUN = 1_760_000_000_000;

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

const options = (part: Partial<ReadOptions> = {}): ReadOptions => ({ ...repository.options, ...part });

/** A record on the history ref, as the controller would push it. */
function record(part: Parameters<typeof recordOf>[0]): void {
  const { subject, body } = recordOf(part);
  const tree = repository.git('hash-object', '-t', 'tree', '-w', '/dev/null').trim();
  const parents = repository.git('for-each-ref', '--format=%(objectname)', 'refs/switchback/history').trim();
  const commit = execFileSync(
    'git',
    [
      '-C',
      repository.bare,
      'commit-tree',
      tree,
      ...(parents ? ['-p', parents] : []),
      '-m',
      `${subject}\n${body}`,
    ],
    {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: repository.folder,
        GIT_AUTHOR_NAME: 'Switchback',
        GIT_AUTHOR_EMAIL: 's@localhost',
        GIT_COMMITTER_NAME: 'Switchback',
        GIT_COMMITTER_EMAIL: 's@localhost',
      },
    },
  ).trim();
  repository.git('update-ref', 'refs/switchback/history', commit);
}

describe('history with no controller', () => {
  it('comes from git, and says so', async () => {
    const { items, source } = await history(DEPLOYMENT, options());

    expect(items).toMatchObject([{ kind: 'release', version: '1.0.0', author: ADA.name, at: BEGUN }]);
    expect(source).toMatchObject({
      kind: 'git',
      repository: repository.bare,
      branch: 'main',
      commit: repository.git('rev-parse', 'main').trim(),
    });
  });

  it('tells what ran at a time: the release alone, then what its rollout became', async () => {
    const before = await historyAt({ ...DEPLOYMENT, at: new Date(BEGUN + 5000).toISOString() }, options());
    record({
      revision: ONE,
      stable: ONE,
      startedAt: BEGUN + 1000,
      at: BEGUN + 9000,
      trail: [{ weight: 100, at: BEGUN + 1000, requests: 7 }],
    });

    const after = await historyAt({ ...DEPLOYMENT, at: new Date(BEGUN + 5000).toISOString() }, options());

    expect(before.items).toMatchObject([{ from: 'release', shares: [{ version: '1.0.0', weight: 100 }] }]);
    expect(before.source.notes.join()).toContain('no record of rollouts');
    expect(after.items).toMatchObject([{ from: 'record', rollout: { outcome: 'baked', at: BEGUN + 9000 } }]);
    expect(after.source.notes).toEqual([]);
  });

  it('has every model of an environment, and everything when nothing is named', async () => {
    const at = new Date(BEGUN + 5000).toISOString();
    const prod = await historyAt({ environment: PROD, at }, options());
    const all = await historyAt({ at }, options());

    expect(prod.items.length).toBeGreaterThan(1);
    expect(new Set(prod.items.map(({ environment }) => environment))).toEqual(new Set(['prod']));
    expect(all.items.length).toBeGreaterThan(prod.items.length);
  });

  it.each([
    [
      'before git begins to know anything',
      '2020-01-01',
      'E_NOT_FOUND',
      /begins at 2025-10-09T08:53:20\.000Z; at 2020/,
    ],
    ['in the future', '2999-01-01T00:00:00Z', 'E_USAGE', /2999-01-01T00:00:00\.000Z is still to come/],
    ['that is none', 'soon', 'E_USAGE', /"soon" is not a time/],
  ])('answers a time %s', async (_, at, code, message) => {
    await expect(historyAt({ ...DEPLOYMENT, at }, options())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('reads the clone that one stands in, from any folder of it, and says what a clone lacks', async () => {
    const clone = join(repository.folder, 'clone');
    repository.git('clone', '--quiet', repository.bare, clone);
    const directory = join(clone, 'environments', 'prod');

    const { items, source } = await history(DEPLOYMENT, { ...options({ directory }), repo: undefined });

    expect(items).toHaveLength(1);
    expect(source).toMatchObject({ kind: 'git', repository: clone, branch: 'main' });
    expect(source.notes.join()).toContain('git fetch origin refs/switchback/history:refs/switchback/history');
  });

  it('finds the model repository within a larger one by where one stands', async () => {
    const larger = join(repository.folder, 'larger');
    const models = join(larger, 'ml', 'environments', 'prod', 'screening');
    await mkdir(models, { recursive: true });
    await writeFile(
      join(models, 'release.yaml'),
      'apiVersion: switchback/v1alpha1\nkind: Release\nversion: "1.0.0"\n',
    );
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', larger, '-c', 'user.name=Ada', '-c', 'user.email=a@b', ...args], {
        env: { PATH: process.env['PATH'], HOME: repository.folder },
      });
    git('init', '--quiet', '--initial-branch=trunk');
    git('add', '.');
    git('commit', '--quiet', '-m', 'begin');

    const { items, source } = await history(DEPLOYMENT, {
      ...options({ directory: models }),
      repo: undefined,
    });

    expect(items).toMatchObject([{ version: '1.0.0' }]);
    expect(source).toMatchObject({ branch: 'trunk' });
  });

  it('asks which repository outside of any', async () => {
    const directory = join(repository.folder, 'empty');
    mkdirSync(directory, { recursive: true });

    await expect(history(DEPLOYMENT, { ...options({ directory }), repo: undefined })).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('Which model repository?'),
    });
  });
});

describe('history with a controller', () => {
  it('comes from it, unless a repository is named', async () => {
    const item = { at: 1, ...DEPLOYMENT, kind: 'release', commit: 'c', version: '9.9.9', subject: 's' };
    const server = createServer((_, response) => response.end(JSON.stringify({ items: [item] })));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const state = join(repository.folder, 'state');
    await mkdir(state);
    await writeFile(join(state, 'operator-token'), 'token');
    const controller = {
      address,
      pid: 1,
      repository: repository.bare,
      branch: 'main',
      root: '',
      startedAt: 1,
    };
    await writeFile(join(state, 'controller.json'), JSON.stringify(controller));

    const asked = await history(DEPLOYMENT, { ...options({ state }), repo: undefined });
    const named = await history(DEPLOYMENT, options({ state }));
    server.closeAllConnections();
    server.close();
    const gone = await history(DEPLOYMENT, { ...options({ state }), repo: undefined });

    expect(asked).toMatchObject({ items: [{ version: '9.9.9' }], source: { kind: 'controller', address } });
    expect(named).toMatchObject({ source: { kind: 'git' } });
    expect(gone).toMatchObject({ source: { kind: 'git', repository: repository.bare } });
  });
});

it('a read needs no name of a person, a change does', async () => {
  const nobody = options({ environment: { HOME: join(repository.folder, 'empty') } });

  expect((await history(DEPLOYMENT, nobody)).items).not.toEqual([]);
  await expect(
    hold({ ...DEPLOYMENT, version: '1.0.0' as VersionLabel, reason: 'r' }, nobody),
  ).rejects.toMatchObject({ code: 'E_CONFIG' });
});
