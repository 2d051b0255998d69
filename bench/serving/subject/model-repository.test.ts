import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validate } from '@switchback-ml/controller/command';
import { expect, onTestFinished, test } from 'vitest';
import { LIGHTEST, modelNamed } from '../model/models.ts';
import { makeSample } from '../model/sample.ts';
import { writeModelFolder } from './model-repository.ts';
import { versionOf } from './snapshot.ts';

test('the model repository is one that switchback has nothing against, down to its golden answers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-bench-folder-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const model = modelNamed(LIGHTEST);
  const version = versionOf(await makeSample(model, join(folder, 'samples')), '1.0.0');
  await writeModelFolder(join(folder, 'seed'), model.name, version);

  const found = await validate({ folder: join(folder, 'seed'), signal: AbortSignal.timeout(30_000) });

  expect(found).toMatchObject({ models: 1, versions: 1, environments: 1, tried: 1, notes: [] });
  // Weights go by LFS once the folder is seeded.
  expect(new Set(found.problems.map(({ code }) => code))).toEqual(new Set(['W_RAW_ARTIFACT']));
});
