import type { EnvironmentName, ModelName } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { desired, readingAhead, type Tree } from './desired.ts';
import type { DesiredState, RepositoryFile } from './desired-state.ts';
import type { Groups } from './groups.ts';
import { environmentFile, holdFile, manifestText, releaseFile, versionFiles } from './manifest.fixture.ts';
import type { Memory } from './memory.ts';
import { type FixtureCommit, treeOf } from './tree.fixture.ts';

const START: FixtureCommit = {
  ...versionFiles('risk/fraud', '1.0.0'),
  ...versionFiles('triage', '2.0.0'),
  ...environmentFile('dev', { promotion: { by: 'newest' } }),
  ...environmentFile('prod', { promotesFrom: 'dev' }),
  ...releaseFile('prod', 'risk/fraud', '1.0.0'),
  ...releaseFile('prod', 'triage', '2.0.0'),
};
const DIGEST = [...desired(treeOf([START])).models.values()][0]?.versions[0]?.digest ?? '';

const gone = (files: Readonly<Record<string, string>>): FixtureCommit =>
  Object.fromEntries(Object.keys(files).map(path => [path, null]));
const broken = (path: string): FixtureCommit => ({ [path]: 'kind: [' });

/** Everything that may be said of this small world, well or badly; each may come at any time, in any order. */
const EDITS: readonly FixtureCommit[] = [
  versionFiles('risk/fraud', '1.1.0'),
  versionFiles('risk/fraud', '1.1.0', { evaluation: [{ metric: 'auc', value: 0.9 }] }),
  versionFiles('risk/fraud', '1.0.0', { seed: 'others' }),
  versionFiles('risk/fraud', '1.2.0-RC'),
  versionFiles('risk/fraud', '1.2.0-rc'),
  gone(versionFiles('risk/fraud', '1.1.0')),
  { 'models/risk/fraud/versions/1.1.0/model.onnx': null },
  broken('models/risk/fraud/versions/1.1.0/version.yaml'),
  { 'models/risk/fraud/serving.yaml': manifestText('Serving', { limits: { timeout: '2s' } }) },
  { 'models/risk/fraud/serving.yaml': null },
  broken('models/risk/fraud/serving.yaml'),
  { 'models/other/fraud/model.yaml': manifestText('Model') },
  { 'models/other/fraud/model.yaml': null },
  { 'models/risk': 'elsewhere' },
  { 'models/risk': null },
  environmentFile('dev', { promotion: { by: 'newest' }, promotesFrom: 'prod' }),
  environmentFile('dev', { promotion: { by: 'newest' } }),
  environmentFile('dev', { promotion: { by: 'person' } }),
  environmentFile('prod', { promotesFrom: ['dev', 'staging'] }),
  environmentFile('prod', { promotesFrom: 'dev', mode: 'observe' }),
  environmentFile('prod', { defaults: { objectives: { valid: { output: 'score', target: '99%' } } } }),
  environmentFile('prod', { defaults: { objectives: { valid: { output: 'scor', target: '99%' } } } }),
  environmentFile('prod', { defaults: { objectives: { fast: { under: '9s', target: '99%' } } } }),
  environmentFile('staging', { promotesFrom: 'dev' }),
  { 'environments/staging/environment.yaml': null },
  broken('environments/prod/environment.yaml'),
  { 'environments/prod/environment.yaml': null },
  releaseFile('prod', 'risk/fraud', '1.1.0'),
  releaseFile('prod', 'risk/fraud', '1.0.0'),
  releaseFile('prod', 'risk/fraud', '9.9.9'),
  broken('environments/prod/risk/fraud/release.yaml'),
  { 'environments/prod/risk/fraud/release.yaml': null },
  releaseFile('prod', 'fraud', '1.0.0'),
  { 'environments/prod/fraud/release.yaml': null },
  releaseFile('dev', 'fruad', '1.0.0'),
  { 'environments/dev/fruad/release.yaml': null },
  releaseFile('staging', 'triage', '2.0.0'),
  { 'environments/prod/risk/fraud/serving.yaml': manifestText('Serving', { limits: { maxBatch: 8 } }) },
  { 'environments/prod/risk/fraud/serving.yaml': null },
  holdFile('dev', 'risk/fraud', '1.0.0', DIGEST),
  holdFile('prod', 'risk/fraud', '1.0.0', `sha256:${'0'.repeat(64)}`),
  broken('environments/dev/risk/fraud/holds/1.0.0.yaml'),
  { 'environments/dev/risk/fraud/holds/1.0.0.yaml': null },
  { 'environments/prod/freezes/x.yaml': manifestText('Freeze', { reason: 'x', model: 'triage' }) },
  { 'environments/prod/freezes/x.yaml': manifestText('Freeze', { reason: 'x', model: 'trriage' }) },
  { 'environments/prod/freezes/x.yaml': null },
  gone(versionFiles('triage', '2.0.0')),
  versionFiles('triage', '2.0.0'),
  { 'environments/Prod/x.yaml': '' },
  { 'environments/prod/risk/fraud/release.yml': '' },
  { 'environments/prod': 'elsewhere' },
  { 'environments/prod': null },
  { 'README.md': 'x' },
];

describe('desired with a memory', () => {
  test('says what it would say without one, after any changes in any order', () => {
    const commits = fc.array(fc.constantFrom(...EDITS), { minLength: 1, maxLength: 12 });

    fc.assert(
      fc.property(commits, edits => {
        const memory: Memory = new Map();
        let tree = asRead(null, treeOf([START]));
        for (let count = 0; count <= edits.length; count++) {
          tree = asRead(tree, treeOf([START, ...edits.slice(0, count)]));
          expect(inOrder(desired(tree, memory))).toEqual(inOrder(desired(tree)));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('hands back the same values for what has not changed, down to each deployment', () => {
    const memory: Memory = new Map();
    const before = asRead(null, treeOf([START]));
    const first = desired(before, memory);

    const second = desired(asRead(before, treeOf([START, releaseFile('prod', 'triage', '9.9.9')])), memory);

    const at = ({ environments }: DesiredState, name: string) => environments.get(name as EnvironmentName);
    const of = (state: DesiredState, name: string) => at(state, 'prod')?.deployments.get(name as ModelName);
    expect(second.models).toBe(first.models);
    expect(at(second, 'dev')).toBe(at(first, 'dev'));
    expect(of(second, 'fraud')).toBe(of(first, 'fraud'));
    expect(of(second, 'triage')).not.toBe(of(first, 'triage'));
    expect(at(second, 'prod')).not.toBe(at(first, 'prod'));
  });

  test('hands back every deployment when an environment changes in what is not about them', () => {
    const memory: Memory = new Map();
    const before = asRead(null, treeOf([START]));
    const first = desired(before, memory);
    const observing = environmentFile('prod', { promotesFrom: 'dev', mode: 'observe' });

    const second = desired(asRead(before, treeOf([START, observing])), memory);

    const prod = 'prod' as EnvironmentName;
    expect(second.environments.get(prod)?.mode).toBe('observe');
    expect(second.environments.get(prod)?.deployments).toBe(first.environments.get(prod)?.deployments);
  });

  test.each<[string, FixtureCommit]>([
    ['an environment no longer takes the newest', environmentFile('dev', { promotion: { by: 'person' } })],
    ['a link hides what models there are', { 'models/risk': 'elsewhere' }],
    ['a link hides an environment', { 'environments/prod': 'elsewhere' }],
  ])('does not hand back what no longer holds when %s', (_, edit) => {
    const memory: Memory = new Map();
    const held = {
      ...START,
      ...holdFile('dev', 'risk/fraud', '1.0.0', DIGEST),
      'environments/Prod/x.yaml': '',
    };
    const before = asRead(null, treeOf([held]));
    const first = desired(before, memory);
    const after = asRead(before, treeOf([held, edit]));

    const second = desired(after, memory);

    expect(inOrder(second)).toEqual(inOrder(desired(after)));
    expect(inOrder(second)).not.toEqual(inOrder({ ...first, commit: second.commit }));
  });

  test('believes another history of the same files', () => {
    const memory: Memory = new Map();
    const [one, other] = [versionFiles('risk/fraud', '1.1.0'), versionFiles('risk/fraud', '1.2.0')];
    const newest = (commits: FixtureCommit[]) =>
      desired(treeOf(commits), memory)
        .environments.get('dev' as EnvironmentName)
        ?.deployments.get('fraud' as ModelName)?.wanted?.version;

    expect([newest([START, one, other]), newest([START, other, one])]).toEqual(['1.2.0', '1.1.0']);
  });

  test('holds no more after many commits than it would hold of the newest alone', () => {
    const memory: Memory = new Map();
    const commits: FixtureCommit[] = [START];
    for (let round = 0; round < 40; round++) {
      const label = `3.0.${round}`;
      commits.push({ ...versionFiles('risk/fraud', label), ...versionFiles(`passing-${round}`, '1.0.0') });
      commits.push({
        ...releaseFile('prod', 'risk/fraud', label),
        ...releaseFile('prod', `passing-${round}`, '1.0.0'),
      });
      commits.push({
        ...gone(versionFiles('risk/fraud', label)),
        ...gone(versionFiles(`passing-${round}`, '1.0.0')),
        ...gone(releaseFile('prod', `passing-${round}`, '1.0.0')),
        ...environmentFile(`env-${round}`),
        ...gone(environmentFile(`env-${round - 1}`)),
        [`environments/prod/risk/fraud/holds/${label}.yaml`]: null,
      });
      for (const count of [1, 2, 3]) desired(treeOf(commits.slice(0, commits.length - 3 + count)), memory);
    }

    const alone: Memory = new Map();
    const newest = treeOf(commits);
    desired(newest, alone);

    expect(remembered(memory)).toBe(remembered(alone));
    expect(filesIn(memory)).toBe(filesIn(alone));
    expect(filesIn(memory)).toBe(newest.files.size);
  });

  test('finds done what was read ahead, piece by piece', () => {
    const memory: Memory = new Map();
    const reads: string[] = [];
    const tree = treeOf([START]);
    const files = new Map([...tree.files].map(([path, file]) => [path, watched(path, file, reads)]));

    const said = [...readingAhead({ ...tree, files }, memory)];
    const readBefore = reads.length;
    const state = desired({ ...tree, files }, memory);

    expect(said.length).toBe([...files.values()].filter(({ kind }) => kind === 'manifest').length);
    expect(
      said.every(({ read, of }, index) => read <= of && (index === 0 || read > said[index - 1]!.read)),
    ).toBe(true);
    expect(reads.length).toBe(readBefore);
    expect(inOrder(state)).toEqual(inOrder(desired(tree)));
    expect([...readingAhead({ ...tree, files }, memory)]).toEqual([]);
  });
});

/** As the reader hands trees on: what has not changed is the same value as before; a link is a link. */
function asRead(before: Tree | null, next: Tree): Tree {
  const files = new Map<string, RepositoryFile>();
  for (const [path, file] of next.files) {
    const known = before?.files.get(path);
    files.set(path, known?.blob === file.blob ? known : linkAt(path, file));
  }
  const paths = new Map(
    [...next.history.paths].map(([path, changes]) => {
      const known = before?.history.paths.get(path);
      return [path, known?.length === changes.length ? known : changes];
    }),
  );
  return { ...next, files, history: { ...next.history, paths } };
}

function linkAt(path: string, file: RepositoryFile): RepositoryFile {
  if (path.includes('.')) return file;
  return {
    blob: file.blob,
    mode: '120000',
    kind: 'refused',
    code: 'E_FILE_KIND',
    message: 'is a symbolic link',
  };
}

/** Maps as lists, so that their order counts too. */
function inOrder(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(inOrder);
  if (value instanceof Set) return [...value].map(inOrder);
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inOrder(member)]));
}

function remembered(memory: Memory): number {
  return [...memory.values()].reduce((sum, { below }) => sum + 1 + (below ? remembered(below) : 0), 0);
}

function filesIn(memory: Memory): number {
  const groups = memory.get('groups')?.value as Groups | undefined;
  return [...(groups?.all() ?? [])].length;
}

/** A file that tells when its text is looked at. */
function watched(path: string, file: RepositoryFile, reads: string[]): RepositoryFile {
  if (file.kind !== 'manifest') return file;
  const { text, ...rest } = file;
  return {
    ...rest,
    get text() {
      reads.push(path);
      return text;
    },
  };
}
