import { describe, expect, test } from 'vitest';
import { desired } from './desired.ts';
import type { RepositoryFile } from './desired-state.ts';
import { environmentFile, manifestText, releaseFile, versionFiles } from './manifest.fixture.ts';
import { blobId, treeOf } from './tree.fixture.ts';

const RELEASE = 'environments/prod/fraud/release.yaml';
const SERVING = 'models/fraud/serving.yaml';
const ENVIRONMENT = 'environments/prod/environment.yaml';
const HEAD = 'apiVersion: switchback/v1alpha1\n';
const HEALTHY = {
  ...versionFiles('fraud', '1.2.0'),
  ...versionFiles('fraud', '1.10.0'),
  ...environmentFile('prod'),
  ...releaseFile('prod', 'fraud', '1.2.0'),
};

interface Bad {
  path: string;
  text: string;
  code: string;
  line?: number;
  field?: string;
  says: RegExp;
  remedy: RegExp;
}

const BAD: Record<string, Bad> = {
  'a version that YAML reads as a number': {
    path: RELEASE,
    text: `${HEAD}kind: Release\nversion: 1.10\n`,
    code: 'E_MANIFEST_FIELD',
    line: 3,
    field: 'version',
    says: /release\.yaml:3 version: expected string, received number/,
    remedy: /^Quote it, or YAML reads something else: version: "1\.10"\.$/,
  },
  'a field with a slip of the pen': {
    path: RELEASE,
    text: `${HEAD}kind: Release\nversion: "1.2.0"\ndigset: "x"\n`,
    code: 'E_MANIFEST_FIELD',
    line: 4,
    field: 'digset',
    says: /digset: is not a field of this kind/,
    remedy: /Did you mean "digest"\?/,
  },
  'a field that is like no other': {
    path: RELEASE,
    text: `${HEAD}kind: Release\nversion: "1.2.0"\nzzzzzzzz: 1\n`,
    code: 'E_MANIFEST_FIELD',
    line: 4,
    field: 'zzzzzzzz',
    says: /is not a field/,
    remedy: /^Remove it/,
  },
  'a missing field': {
    path: RELEASE,
    text: `${HEAD}kind: Release\n`,
    code: 'E_MANIFEST_FIELD',
    line: 1,
    field: 'version',
    says: /version: is missing/,
    remedy: /^Add it/,
  },
  'a kind that the path does not allow': {
    path: RELEASE,
    text: `${HEAD}kind: Hold\nversion: "1.2.0"\n`,
    code: 'E_MANIFEST_KIND',
    line: 2,
    field: 'kind',
    says: /kind: is "Hold", and the path of this file says Release/,
    remedy: /Write kind: Release, or move the file/,
  },
  'an apiVersion of a later controller': {
    path: RELEASE,
    text: 'apiVersion: switchback/v2\nkind: Release\nversion: "1.2.0"\n',
    code: 'E_MANIFEST_API_VERSION',
    line: 1,
    field: 'apiVersion',
    says: /apiVersion: is "switchback\/v2", which this controller does not read/,
    remedy: /switchback\/v1alpha1: upgrade the controller/,
  },
  'a label that is no label': {
    path: RELEASE,
    text: `${HEAD}kind: Release\nversion: "../../etc"\n`,
    code: 'E_MANIFEST_FIELD',
    line: 3,
    field: 'version',
    says: /must be a short label/,
    remedy: /\./,
  },
  'a release that names a version that is not there': {
    path: RELEASE,
    text: `${HEAD}kind: Release\nversion: "1.2.1"\n`,
    code: 'E_REFERENCE',
    line: 3,
    field: 'version',
    says: /release\.yaml:3 version: names "1\.2\.1", which is no version of fraud/,
    remedy: /Did you mean "1\.2\.0"\? Known versions: 1\.10\.0, 1\.2\.0\./,
  },
  'a release whose digest is another version': {
    path: RELEASE,
    text: `${HEAD}kind: Release\nversion: "1.2.0"\ndigest: "sha256:${'0'.repeat(64)}"\n`,
    code: 'E_ARTIFACT_DIFFERS',
    line: 4,
    field: 'digest',
    says: /names sha256:000000000000…, but 1\.2\.0 is sha256:/,
    remedy: /leave the digest out/,
  },
  'a duration that is none': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nlimits:\n  timeout: soon\n`,
    code: 'E_MANIFEST_FIELD',
    line: 4,
    field: 'limits.timeout',
    says: /must be a duration such as "30s", "5m" or "24h", not "soon"/,
    remedy: /\./,
  },
  'a duration without a unit': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nlimits: { timeout: 10 }\n`,
    code: 'E_MANIFEST_FIELD',
    line: 3,
    field: 'limits.timeout',
    says: /must be a duration such as .*, not 10/,
    remedy: /^Write a unit: timeout: 10s, or/,
  },
  'a duration without a unit that was quoted': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nlimits: { timeout: "10" }\n`,
    code: 'E_MANIFEST_FIELD',
    field: 'limits.timeout',
    says: /not "10"/,
    remedy: /^Write a unit: timeout: 10s, or/,
  },
  'a wait without a unit': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nbatching: { wait: 0 }\n`,
    code: 'E_MANIFEST_FIELD',
    field: 'batching.wait',
    says: /must be a duration/,
    remedy: /^Write a unit: wait: 0s, or/,
  },
  'a size without a unit': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nlimits: { memory: 512 }\n`,
    code: 'E_MANIFEST_FIELD',
    field: 'limits.memory',
    says: /must be a size such as .*, not 512/,
    remedy: /^Write a unit: memory: 512Mi, or/,
  },
  'a share that is no percentage': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nobjectives: { available: { target: 0.999 } }\n`,
    code: 'E_MANIFEST_FIELD',
    field: 'objectives.available.target',
    says: /must be a percentage such as "99\.9%", not 0\.999/,
    remedy: /^Write a percentage: target: 99\.9%\.$/,
  },
  'a percentage without its sign': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nobjectives: { available: { target: 99.5 } }\n`,
    code: 'E_MANIFEST_FIELD',
    field: 'objectives.available.target',
    says: /not 99\.5/,
    remedy: /^Write a percentage: target: 99\.5%\.$/,
  },
  'a rate that is a number': {
    path: ENVIRONMENT,
    text: `${HEAD}kind: Environment\ntarget: { local: {} }\npromotion: { by: push }\nrollback: { atMost: 2 }\n`,
    code: 'E_MANIFEST_FIELD',
    line: 5,
    field: 'rollback.atMost',
    says: /must be a rate such as "2 per 1h", not 2/,
    remedy: /^Say in which time: atMost: 2 per 1h\.$/,
  },
  'a fault in the second of several steps': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nrollout:\n  canary:\n    steps:\n      - { weight: 5, for: 10m, requests: 500 }\n      - { weight: 50, for: 30, requests: 5000 }\n`,
    code: 'E_MANIFEST_FIELD',
    line: 7,
    field: 'rollout.canary.steps.1.for',
    says: /must be a duration/,
    remedy: /\./,
  },
  'weights that do not rise': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nrollout: { canary: { steps: [{ weight: 50, for: 1m, requests: 1 }, { weight: 5, for: 1m, requests: 1 }] } }\n`,
    code: 'E_MANIFEST_FIELD',
    line: 3,
    field: 'rollout.canary.steps.1.weight',
    says: /weights must rise: write more than 50/,
    remedy: /\./,
  },
  'an objective that can never be kept': {
    path: SERVING,
    text: `${HEAD}kind: Serving\nobjectives: { fast: { under: 50ms, target: 100% } }\n`,
    code: 'E_MANIFEST_FIELD',
    line: 3,
    field: 'objectives.fast.target',
    says: /100% can never be kept/,
    remedy: /\./,
  },
  'an alias': {
    path: ENVIRONMENT,
    text: `${HEAD}kind: Environment\ntarget: &t { local: {} }\n`,
    code: 'E_MANIFEST_ALIAS',
    line: 3,
    says: /uses an anchor, an alias or a merge key/,
    remedy: /Write the value out/,
  },
  'a key that is said twice': {
    path: ENVIRONMENT,
    text: `${HEAD}kind: Environment\nmode: act\nmode: observe\n`,
    code: 'E_MANIFEST_DUPLICATE_KEY',
    line: 4,
    says: /says the same key twice/,
    remedy: /Keep one/,
  },
  'two documents in one file': {
    path: ENVIRONMENT,
    text: `${HEAD}kind: Environment\n---\n${HEAD}kind: Release\n`,
    code: 'E_MANIFEST_MANY_DOCUMENTS',
    line: 3,
    says: /more than one document/,
    remedy: /its own file/,
  },
};

describe('a bad manifest is reported with its place and what to do', () => {
  test.each(Object.entries(BAD))('%s', (_, { path, text, code, line, field, says, remedy }) => {
    const { problems } = desired(treeOf([HEALTHY, { [path]: text }]));

    const problem = problems.find(found => found.code === code);
    expect(problem).toMatchObject({ path, severity: 'error' });
    expect(problem?.message).toMatch(says);
    expect(problem?.message).toContain(path.split('/').at(-1));
    expect(problem?.remedy).toMatch(remedy);
    if (line !== undefined) expect(problem?.line).toBe(line);
    if (field !== undefined) expect(problem?.field).toBe(field);
  });
});

describe('a field that is unknown', () => {
  const remedyOf = (path: string, text: string) =>
    desired(treeOf([HEALTHY, { [path]: `${HEAD}${text}` }])).problems.map(({ field, line, remedy }) => ({
      field,
      line,
      remedy,
    }));

  test.each<[string, string, string, string]>([
    [ENVIRONMENT, 'kind: Environment\npromotesFrm: dev\n', 'promotesFrm', 'Did you mean "promotesFrom"?'],
    [
      SERVING,
      'kind: Serving\nobjectives:\n  fast: { undr: 5ms }\n',
      'objectives.fast.undr',
      'Did you mean "under"?',
    ],
    [SERVING, 'kind: Serving\ntimeout: 5ms\n', 'timeout', 'It belongs to limits.'],
    [SERVING, 'kind: Serving\nqueue: 8\n', 'queue', 'It belongs to limits.'],
    [SERVING, 'kind: Serving\nlimits: { engines: 2 }\n', 'limits.engines', 'It belongs to the top level.'],
    [SERVING, 'kind: Serving\nshadow: 5%\n', 'shadow', 'It belongs to rollout.canary.'],
    [SERVING, 'kind: Serving\nbatchin: { wait: 2ms }\n', 'batchin', 'Did you mean "batching"?'],
    [SERVING, 'kind: Serving\ncache: { siez: 1Mi }\n', 'cache.siez', 'Did you mean "size"?'],
    [
      SERVING,
      'kind: Serving\nrollout: { canary: { match: [{ haeder: a, is: b }] } }\n',
      'rollout.canary.match.0.haeder',
      'Did you mean "header"?',
    ],
    [ENVIRONMENT, 'kind: Environment\nmerge: person\n', 'merge', 'It belongs to promotion.'],
    [RELEASE, 'kind: Release\ntraffic: 5\n', 'traffic', 'There are: apiVersion, kind, version, digest.'],
  ])('in %s is explained by what that place has: %j', (path, text, field, remedy) => {
    const found = remedyOf(path, text).find(problem => problem.field === field);

    expect(found?.remedy).toContain(remedy);
    expect(found?.line).toBeGreaterThan(2);
  });

  test('is told beside every other one', () => {
    const fields = remedyOf(RELEASE, 'kind: Release\nversion: "1.2.0"\na: 1\nb: 2\n').map(
      ({ field }) => field,
    );

    expect(fields).toEqual(['a', 'b']);
  });
});

test('a manifest of a later time is told by its first line alone, whatever fields it has', () => {
  const text = 'apiVersion: switchback/v1beta1\nkind: Rollout\nwaves: 3\n';

  const { problems } = desired(treeOf([HEALTHY, { [RELEASE]: text }]));

  expect(problems.map(({ code, line }) => ({ code, line }))).toEqual([
    { code: 'E_MANIFEST_API_VERSION', line: 1 },
  ]);
});

test('a manifest with thousands of unknown fields gives few problems', () => {
  const text = manifestText('Release', {
    version: '1.2.0',
    ...Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`field${index}`, 1])),
  });

  const { problems } = desired(treeOf([HEALTHY, { [RELEASE]: text }]));

  expect(problems.length).toBeGreaterThan(0);
  expect(problems.length).toBeLessThanOrEqual(20);
});

test.each<[string, RepositoryFile, string]>([
  [
    'an LFS pointer',
    { kind: 'pointer', blob: blobId('x'), mode: '100644', digest: 'ab', sizeBytes: 9 },
    'E_FILE_KIND',
  ],
  [
    'what the reader refused',
    { kind: 'refused', blob: blobId('y'), mode: '120000', code: 'E_FILE_KIND', message: 'is a link' },
    'E_FILE_KIND',
  ],
])('a manifest that is %s is refused, and its deployment kept', (_, file, code) => {
  const tree = treeOf([HEALTHY]);
  const files = new Map([...tree.files, [RELEASE, file]]);

  const state = desired({ ...tree, files });

  expect(state.problems).toMatchObject([{ code, path: RELEASE }]);
  const [deployment] = [...(state.environments.values().next().value?.deployments.values() ?? [])];
  expect(deployment?.wanted).toBeNull();
});
