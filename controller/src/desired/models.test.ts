import type { ModelName, Problem } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { desired } from './desired.ts';
import { INTO_LFS } from './lfs-remedy.ts';
import { environmentFile, manifestText, releaseFile, SIGNATURE, versionFiles } from './manifest.fixture.ts';
import { blobId, type FixtureCommit, lfsPointer, treeOf } from './tree.fixture.ts';

const AT = 'models/fraud/versions/1.0.0/';

function labelsAfter(commits: FixtureCommit[]): { labels: string[] | undefined; problems: unknown[] } {
  const { models, problems } = desired(treeOf(commits));
  return {
    labels: models.get('fraud' as ModelName)?.versions.map(({ label }) => label),
    problems: [...problems],
  };
}

describe('a version', () => {
  test.each<[string, FixtureCommit, object]>([
    ['is missing', { [`${AT}model.onnx`]: null }, { code: 'E_ARTIFACT_MISSING' }],
    [
      'points to other bytes',
      { [`${AT}model.onnx`]: lfsPointer('0'.repeat(64), 1000) },
      {
        code: 'E_ARTIFACT_DIFFERS',
        message: expect.stringMatching(
          /model\.onnx is 1000 bytes with sha256 0{64}; version\.yaml names 1000 bytes with sha256 10e2/,
        ),
        remedy: expect.stringContaining('bring the file back from the commit that had it right'),
      },
    ],
    [
      'has another size',
      {
        [`${AT}golden.json`]: versionFiles('fraud', '1.0.0')[`${AT}golden.json`]?.replace('100', '101') ?? '',
      },
      { code: 'E_ARTIFACT_DIFFERS', message: expect.stringContaining('golden.json is 101 bytes') },
    ],
  ])('is left out when an artifact %s', (_, edits, problem) => {
    const { labels, problems } = labelsAfter([
      versionFiles('fraud', '1.0.0'),
      versionFiles('fraud', '1.1.0'),
      edits,
    ]);

    expect(labels).toEqual(['1.1.0']);
    expect(problems).toMatchObject([
      { path: `${AT}version.yaml`, severity: 'error', remedy: expect.stringMatching(/\w/), ...problem },
    ]);
  });

  test('is taken with a warning when its artifact is in git itself', () => {
    const bytes = 'the graph itself\n';

    const { labels, problems } = labelsAfter([withModelBytes(bytes)]);

    expect(labels).toEqual(['1.0.0']);
    expect(problems).toMatchObject([
      {
        code: 'W_RAW_ARTIFACT',
        severity: 'warning',
        remedy: `Run: ${INTO_LFS}`,
      },
    ]);
  });

  test('that no commit has yet is told to name the values of the file that is there', () => {
    const tree = treeOf([
      { ...versionFiles('fraud', '1.0.0'), [`${AT}model.onnx`]: lfsPointer('0'.repeat(64), 9) },
    ]);

    const { problems } = desired({ ...tree, history: treeOf([]).history });

    expect(problems).toMatchObject([
      { code: 'E_ARTIFACT_DIFFERS', remedy: expect.stringContaining('write its values into version.yaml') },
    ]);
  });

  test('whose artifact is too large to be read out of git is told to put it into LFS', () => {
    const tree = treeOf([versionFiles('fraud', '1.0.0')]);
    const path = `${AT}model.onnx`;
    const raw = { blob: blobId('x'), mode: '100644', kind: 'raw' as const, sizeBytes: 1000, digest: null };

    const { problems } = desired({ ...tree, files: new Map([...tree.files, [path, raw]]) });

    expect(problems).toMatchObject([
      {
        code: 'E_RAW_ARTIFACT',
        message: expect.stringContaining('too large'),
        remedy: `Put it into LFS: ${INTO_LFS}`,
      },
    ]);
  });

  test.each<[string, Record<string, unknown>]>([
    ['its bytes', { seed: 'others' }],
    [
      'its signature',
      { signature: { ...SIGNATURE, outputs: { score: { datatype: 'FP64', shape: [-1, 1] } } } },
    ],
  ])('is refused when %s changed after it was introduced', (_, fields) => {
    const { labels, problems } = labelsAfter([
      versionFiles('fraud', '1.0.0'),
      versionFiles('fraud', '1.0.0', fields),
    ]);

    expect(labels).toEqual([]);
    expect(problems).toMatchObject([
      {
        code: 'E_VERSION_CHANGED',
        path: `${AT}version.yaml`,
        remedy: expect.stringMatching(
          /new label, then bring .* back: git checkout [0-9a-f]{7} -- models\/fraud\/versions\/1\.0\.0$/,
        ),
      },
    ]);
  });

  test('that was changed is no release, which is told the remedy of the version itself', () => {
    const { problems } = labelsAfter([
      {
        ...versionFiles('fraud', '1.0.0'),
        ...environmentFile('prod'),
        ...releaseFile('prod', 'fraud', '1.0.0'),
      },
      versionFiles('fraud', '1.0.0', { seed: 'others' }),
    ]);

    const [changed, release] = problems as Problem[];
    expect(release).toMatchObject({
      code: 'E_REFERENCE',
      path: 'environments/prod/fraud/release.yaml',
      message: expect.stringMatching(
        /names "1\.0\.0", which can not be taken .*version\.yaml was changed after/,
      ),
    });
    expect(release?.remedy).toBe(`Name another version here, or mend ${AT}version.yaml. ${changed?.remedy}`);
  });

  test('is refused when it was removed and came back as something else', () => {
    const gone = Object.fromEntries(Object.keys(versionFiles('fraud', '1.0.0')).map(path => [path, null]));

    const { labels, problems } = labelsAfter([
      versionFiles('fraud', '1.0.0'),
      gone,
      versionFiles('fraud', '1.0.0', { seed: 'others' }),
    ]);

    expect(labels).toEqual([]);
    expect(problems).toMatchObject([{ code: 'E_VERSION_CHANGED' }]);
  });

  test('is what its first readable text said, so that a slip before it counts for nothing', () => {
    const { labels, problems } = labelsAfter([
      { [`${AT}version.yaml`]: 'kind: [' },
      versionFiles('fraud', '1.0.0'),
    ]);

    expect({ labels, problems }).toEqual({ labels: ['1.0.0'], problems: [] });
  });

  test('may be given evaluations later', () => {
    const { labels, problems } = labelsAfter([
      versionFiles('fraud', '1.0.0'),
      versionFiles('fraud', '1.0.0', { evaluation: [{ metric: 'auc', value: 0.9 }] }),
    ]);

    expect({ labels, problems }).toEqual({ labels: ['1.0.0'], problems: [] });
  });

  test.each(['golden.json', 'model.onnx'])('without %s may not serve', file => {
    const artifacts = {
      [file === 'golden.json' ? 'model.onnx' : 'golden.json']: { sha256: 'a'.repeat(64), size: 1 },
    };

    const { labels, problems } = labelsAfter([
      { [`${AT}version.yaml`]: manifestText('ModelVersion', { artifacts, signature: SIGNATURE }) },
    ]);

    expect(labels).toEqual([]);
    expect(problems).toMatchObject([{ field: 'artifacts', message: expect.stringContaining(file) }]);
  });
});

test('a model name that stands in two folders is reported with both, and neither is followed', () => {
  const { labels, problems } = labelsAfter([
    { ...versionFiles('fraud', '1.0.0'), ...versionFiles('payments/fraud', '2.0.0') },
  ]);

  expect(labels).toEqual([]);
  expect(problems).toMatchObject([
    {
      code: 'E_DUPLICATE_NAME',
      message: expect.stringMatching(/models\/fraud and in models\/payments\/fraud/),
    },
  ]);
});

/** A version whose model is committed as it is, with the digest that these bytes have. */
function withModelBytes(bytes: string): FixtureCommit {
  const raw = treeOf([{ 'model.onnx': bytes }]).files.get('model.onnx');
  if (raw?.kind !== 'raw' || raw.digest === null) throw new TypeError('not raw');
  const pointers = versionFiles('fraud', '1.0.0');
  const golden = { sha256: /sha256:(\w+)/.exec(pointers[`${AT}golden.json`] ?? '')?.[1], size: 100 };
  const artifacts = { 'model.onnx': { sha256: raw.digest, size: raw.sizeBytes }, 'golden.json': golden };
  return {
    ...pointers,
    [`${AT}version.yaml`]: manifestText('ModelVersion', { artifacts, signature: SIGNATURE }),
    [`${AT}model.onnx`]: bytes,
  };
}
