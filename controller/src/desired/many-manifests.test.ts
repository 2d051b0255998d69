import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { EnvironmentName } from '@switchback-ml/schemas';
import { beforeAll, describe, expect, test } from 'vitest';
import { desired, readingAhead, type Tree } from './desired.ts';
import type { RepositoryFile } from './desired-state.ts';
import { environmentFile, manifestText, releaseFile, versionFiles } from './manifest.fixture.ts';
import type { Memory } from './memory.ts';
import { promotionOrder } from './promotion-order.ts';
import { blobId, treeOf } from './tree.fixture.ts';

const MODELS = 2500;

describe('ten thousand manifests', () => {
  let tree: Tree;
  beforeAll(() => {
    const files = environmentFile('prod');
    for (let index = 0; index < MODELS; index++) {
      const name = `team-${index % 40}/model-${index}`;
      Object.assign(
        files,
        { [`models/${name}/model.yaml`]: manifestText('Model', { owners: ['risk'] }) },
        { [`models/${name}/serving.yaml`]: manifestText('Serving', { limits: { timeout: '1s' } }) },
        versionFiles(name, '1.0.0'),
        releaseFile('prod', name, '1.0.0'),
      );
    }
    tree = treeOf([files]);
  });

  test('are read one by one with word of how far it is, and hold a few kilobytes each', () => {
    const memory: Memory = new Map();
    const before = heapBytes();
    let pieces = 0;
    let furthest = 0;
    for (const { read, of } of readingAhead(tree, memory)) {
      expect(read).toBeGreaterThan(furthest);
      expect(read).toBeLessThanOrEqual(of);
      furthest = read;
      pieces += 1;
    }

    const { models, problems, environments } = desired(tree, memory);

    expect(pieces).toBe(4 * MODELS + 1);
    expect(problems).toEqual([]);
    expect(models.size).toBe(MODELS);
    expect([...environments.values()][0]?.deployments.size).toBe(MODELS);
    // Text and fixtures not counted; a tree of syntax kept for each would be ten times as much.
    expect((heapBytes() - before) / pieces).toBeLessThan(16 * 1024);
  });

  test('cost one reading when one of them is another', () => {
    const memory: Memory = new Map();
    const first = desired(tree, memory);
    const [path] = [...tree.files.keys()].filter(name => name.endsWith('model-7/release.yaml'));
    const reads: string[] = [];
    const files = new Map([...tree.files].map(([at, file]) => [at, watched(at, file, reads)]));
    const text = releaseFile('prod', 'team-7/model-7', '1.0.0')[path ?? '']!.replace('1.0.0', '1.0.1');
    files.set(
      path ?? '',
      watched(path ?? '', { kind: 'manifest', mode: '100644', blob: blobId(text), text }, reads),
    );

    const second = desired({ ...tree, files }, memory);

    expect(new Set(reads)).toEqual(new Set([path]));
    expect(second.models).toBe(first.models);
    expect(second.problems).toMatchObject([{ code: 'E_REFERENCE', path }]);
  });

  test('that are all wrong are each told, and none stops another', () => {
    const files = new Map(
      [...tree.files].map(([path, file]) => {
        if (!path.endsWith('release.yaml')) return [path, file];
        return [path, { ...file, blob: blobId(path), kind: 'manifest', text: 'kind: [' } as RepositoryFile];
      }),
    );

    const { problems, environments } = desired({ ...tree, files });

    expect(problems.length).toBe(MODELS);
    expect([...environments.values()][0]?.deployments.size).toBe(MODELS);
  });
});

test('ten thousand environments in a row, or in a circle, are put in order without a stack as deep', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `env-${index}` as EnvironmentName);
  const placed = { path: 'x', place: { kind: 'other' }, file: treeOf([{ x: 'y' }]).files.get('x')! } as never;
  const chain = (last: EnvironmentName[]) =>
    new Map(
      names.map((name, index) => [
        name,
        { placed, environment: { promotesFrom: names[index + 1] ? [names[index + 1]!] : last } },
      ]),
    );

  const row = promotionOrder(chain([]), new Set());
  const circle = promotionOrder(chain([names[0]!]), new Set());

  expect(row.ordered).toEqual(names.toReversed());
  expect(circle).toMatchObject({ ordered: [], problems: [{ code: 'E_CYCLE' }] });
  expect(circle.broken.length).toBe(names.length);
  expect(circle.problems[0]?.message.length).toBeLessThan(500);
});

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

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
