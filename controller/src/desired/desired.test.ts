import type { EnvironmentName, ModelName } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { desired } from './desired.ts';
import type { DesiredState, RepositoryFile } from './desired-state.ts';
import { environmentFile, holdFile, manifestText, releaseFile, versionFiles } from './manifest.fixture.ts';
import { BETWEEN_COMMITS_MS, FIRST_COMMIT_AT, type FixtureCommit, treeOf } from './tree.fixture.ts';

const RELEASE = 'environments/prod/payments/fraud/release.yaml';

const EXAMPLE: FixtureCommit[] = [
  {
    'models/payments/fraud/model.yaml': manifestText('Model', { owners: ['risk'], task: 'classification' }),
    ...versionFiles('payments/fraud', '1.2.0'),
    ...environmentFile('dev', { promotion: { by: 'newest' } }),
    ...environmentFile('staging', { promotesFrom: 'dev' }),
    ...environmentFile('prod', {
      promotesFrom: 'staging',
      promotion: { by: 'pull-request', approvals: 2 },
      gates: { soak: { for: '24h', requests: 5000 } },
      rollback: { atMost: '3 per 2h' },
      defaults: { limits: { memory: '1Gi' } },
    }),
    ...releaseFile('staging', 'payments/fraud', '1.2.0'),
    ...releaseFile('prod', 'payments/fraud', '1.2.0'),
    'README.md': '# models\n',
  },
  {
    ...versionFiles('payments/fraud', '1.3.0', { lineage: { datasets: [{ name: 'cards' }] } }),
    'models/payments/fraud/serving.yaml': manifestText('Serving', { limits: { timeout: '200ms' } }),
  },
  {
    ...releaseFile('staging', 'payments/fraud', '1.3.0'),
    'environments/prod/freezes/holidays.yaml': manifestText('Freeze', { reason: 'holidays', by: 'mei' }),
  },
];

describe('desired', () => {
  test('reads a whole tree without a problem', () => {
    const tree = treeOf(EXAMPLE);

    const state = desired(tree);

    expect(state.problems).toEqual([]);
    expect(state.commit).toBe(tree.commit);
    expect([...state.environments.keys()]).toEqual(['dev', 'staging', 'prod']);
    expect([...state.broken]).toEqual([]);
    expect(summary(state)).toEqual({
      'dev/fraud': '1.3.0',
      'staging/fraud': '1.3.0',
      'prod/fraud': '1.2.0',
    });
  });

  test('keeps what an environment says of promotions, gates, rollbacks and freezes', () => {
    const prod = desired(treeOf(EXAMPLE)).environments.get('prod' as EnvironmentName);

    expect(prod).toMatchObject({
      promotesFrom: ['staging'],
      mode: 'act',
      promotion: { by: 'pull-request', approvals: 2, merge: 'person' },
      gates: { soak: { for: 86_400_000, requests: 5000 } },
      rollback: { write: 'push-else-pull-request', atMost: { count: 3, windowMs: 7_200_000 } },
      freezes: [{ reason: 'holidays', path: 'environments/prod/freezes/holidays.yaml' }],
    });
  });

  test('puts versions in the order of the commits that introduced them, with when and what they carry', () => {
    const model = desired(treeOf(EXAMPLE)).models.get('fraud' as ModelName);

    expect(model?.folder).toBe('payments/fraud');
    expect(model?.versions.map(({ label }) => label)).toEqual(['1.2.0', '1.3.0']);
    expect(model?.versions[1]?.introducedAt).toBe(FIRST_COMMIT_AT + BETWEEN_COMMITS_MS);
    expect(model?.versions[1]?.facts.has('lineage.datasets')).toBe(true);
    expect(model?.versions[0]?.facts.has('lineage.datasets')).toBe(false);
  });

  test('orders versions by commit even where labels and dates say otherwise', () => {
    const tree = treeOf([
      { ...environmentFile('dev', { promotion: { by: 'newest' } }), ...versionFiles('fraud', '9.0.0') },
      versionFiles('fraud', '10.0.0'),
      versionFiles('fraud', '0.1.0'),
    ]);

    const state = desired(tree);

    expect(summary(state)).toEqual({ 'dev/fraud': '0.1.0' });
  });

  test('serves the newest version that no hold names where the newest is asked for', () => {
    const before = desired(treeOf(EXAMPLE)).models.get('fraud' as ModelName)?.versions[1];
    const tree = treeOf([...EXAMPLE, holdFile('dev', 'payments/fraud', '1.3.0', before?.digest ?? '')]);

    const state = desired(tree);

    expect(summary(state)['dev/fraud']).toBe('1.2.0');
    expect(
      state.environments.get('dev' as EnvironmentName)?.deployments.get('fraud' as ModelName)?.holds,
    ).toHaveLength(1);
  });

  test('lets a release pin the version where the newest is asked for otherwise', () => {
    const state = desired(treeOf([...EXAMPLE, releaseFile('dev', 'payments/fraud', '1.2.0')]));

    expect(summary(state)['dev/fraud']).toBe('1.2.0');
  });

  test('names where a release stands, or would stand', () => {
    const state = desired(treeOf(EXAMPLE));

    const path = (name: string): string | undefined =>
      state.environments.get(name as EnvironmentName)?.deployments.get('fraud' as ModelName)?.releasePath;
    expect(path('prod')).toBe(RELEASE);
    expect(path('dev')).toBe('environments/dev/payments/fraud/release.yaml');
  });

  test.each([
    ['a release', RELEASE, { 'prod/fraud': null }],
    ['settings in the environment', 'environments/prod/payments/fraud/serving.yaml', { 'prod/fraud': null }],
    ['a hold', 'environments/prod/payments/fraud/holds/x.yaml', {}],
    ['a freeze', 'environments/prod/freezes/x.yaml', {}],
    ['an owner', 'models/payments/fraud/model.yaml', {}],
  ])('keeps everything else when %s can not be read', (_, path, changed) => {
    const healthy = summary(desired(treeOf(EXAMPLE)));

    const state = desired(treeOf([...EXAMPLE, { [path]: 'kind: [' }]));

    expect(summary(state)).toEqual({ ...healthy, ...changed });
    expect(state.problems).toMatchObject([{ path, severity: 'error', code: 'E_MANIFEST_SYNTAX' }]);
  });

  test.each(['models/payments/fraud/serving.yaml', 'environments/prod/payments/fraud/serving.yaml'])(
    'wants nothing new where %s can not be read, rather than the version without its settings',
    path => {
      const broken = { [path]: manifestText('Serving', { limits: { timeout: '200ms' }, limts: {} }) };
      const state = desired(treeOf([...EXAMPLE, broken]));
      const prod = state.environments.get('prod' as EnvironmentName)?.deployments;

      expect(prod?.get('fraud' as ModelName)).toMatchObject({ wanted: null });
      expect(state.problems).toMatchObject([{ path, field: 'limts', severity: 'error' }]);
    },
  );

  test('marks an environment broken whose manifest can not be read, and goes on with the others', () => {
    const state = desired(treeOf([...EXAMPLE, { 'environments/staging/environment.yaml': 'kind: 7\n' }]));

    expect([...state.broken]).toEqual(['staging']);
    expect(summary(state)).toEqual({ 'dev/fraud': '1.3.0', 'prod/fraud': '1.2.0' });
  });

  test('marks an environment broken whose manifest is gone while its folder is not', () => {
    const state = desired(treeOf([...EXAMPLE, { 'environments/staging/environment.yaml': null }]));

    expect([...state.broken]).toEqual(['staging']);
    expect(state.problems).toMatchObject([
      { code: 'E_REFERENCE', path: 'environments/staging/environment.yaml' },
    ]);
  });

  test('freezes by a freeze that can not be read', () => {
    const state = desired(treeOf([...EXAMPLE, { 'environments/staging/freezes/x.yaml': 'reason: [' }]));

    expect(state.environments.get('staging' as EnvironmentName)?.freezes).toMatchObject([
      { reason: 'its file can not be read', path: 'environments/staging/freezes/x.yaml' },
    ]);
  });

  test('freezes every model by a freeze of one that is not there', () => {
    const path = 'environments/staging/freezes/x.yaml';

    const state = desired(
      treeOf([...EXAMPLE, { [path]: manifestText('Freeze', { reason: 'audit', model: 'fruad' }) }]),
    );

    const freezes = state.environments.get('staging' as EnvironmentName)?.freezes;
    expect(freezes).toEqual([{ apiVersion: 'switchback/v1alpha1', kind: 'Freeze', reason: 'audit', path }]);
    expect(state.problems).toMatchObject([{ code: 'E_REFERENCE', path, field: 'model' }]);
  });

  test('holds by a hold that can not be read the version that the file is named after', () => {
    const path = 'environments/dev/payments/fraud/holds/1.3.0.yaml';

    const state = desired(treeOf([...EXAMPLE, { [path]: 'digest: 7\n' }]));

    expect(summary(state)['dev/fraud']).toBe('1.2.0');
    expect(state.problems.every(problem => problem.path === path)).toBe(true);
  });

  test('follows neither of two releases of one model in one environment', () => {
    const state = desired(treeOf([...EXAMPLE, releaseFile('prod', 'fraud', '1.3.0')]));

    expect(summary(state)['prod/fraud']).toBeNull();
    expect(state.problems).toMatchObject([{ code: 'E_DUPLICATE_NAME' }]);
  });

  test('follows neither of two settings of one model in one environment', () => {
    const text = manifestText('Serving', {});

    const state = desired(
      treeOf([
        ...EXAMPLE,
        {
          'environments/prod/fraud/serving.yaml': text,
          'environments/prod/payments/fraud/serving.yaml': text,
        },
      ]),
    );

    expect(summary(state)['prod/fraud']).toBeNull();
    expect(state.problems).toMatchObject([
      { code: 'E_DUPLICATE_NAME', path: 'environments/prod/payments/fraud/serving.yaml' },
    ]);
  });

  test('undeploys when the release is removed', () => {
    const state = desired(treeOf([...EXAMPLE, { [RELEASE]: null }]));

    expect(Object.keys(summary(state))).toEqual(['dev/fraud', 'staging/fraud']);
  });

  test('reads the same blob once, however often it is asked', () => {
    const reads = new Map<string, number>();
    const tree = treeOf(EXAMPLE);
    const files = new Map([...tree.files].map(([path, file]) => [path, counting(path, file, reads)]));
    const memory = new Map();

    const first = desired({ ...tree, files }, memory);
    const readOnce = new Map(reads);
    const second = desired({ ...tree, files }, memory);

    expect(reads).toEqual(readOnce);
    expect(Math.max(...reads.values())).toBe(1);
    expect(second).toEqual(first);
  });

  test('reads only what changed when the next tree comes', () => {
    const reads = new Map<string, number>();
    const memory = new Map();
    desired(treeOf(EXAMPLE), memory);
    const next = treeOf([...EXAMPLE, releaseFile('prod', 'payments/fraud', '1.3.0')]);
    const files = new Map([...next.files].map(([path, file]) => [path, counting(path, file, reads)]));

    const state = desired({ ...next, files }, memory);

    expect([...reads.keys()]).toEqual([RELEASE]);
    expect(summary(state)['prod/fraud']).toBe('1.3.0');
  });
});

function summary(state: DesiredState): Record<string, string | null> {
  return Object.fromEntries(
    [...state.environments.values()].flatMap(({ name, deployments }) =>
      [...deployments.values()].map(({ model, wanted }) => [`${name}/${model}`, wanted?.version ?? null]),
    ),
  );
}

/** A file that tells how often its text was looked at. */
function counting(path: string, file: RepositoryFile, reads: Map<string, number>): RepositoryFile {
  if (file.kind !== 'manifest') return file;
  const { text, ...rest } = file;
  return {
    ...rest,
    get text() {
      reads.set(path, (reads.get(path) ?? 0) + 1);
      return text;
    },
  };
}
