import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { versionText } from '@switchback-ml/schemas';
import { expect, onTestFinished, test } from 'vitest';
import { ratioVersion, sha256 } from '../serving.fixture.ts';
import { attestedDigest, readContent } from './attest.ts';

const { backend } = ratioVersion();
const { artifacts, signature } = backend;
const honest = {
  'model.onnx': artifacts['model.onnx']!,
  'golden.json': artifacts['golden.json']!,
};
const digest = `sha256:${createHash('sha256').update(versionText(artifacts, signature)).digest('hex')}`;

test('what was loaded as it was claimed attests the digest of the claim', () => {
  expect(attestedDigest(artifacts, honest, signature)).toBe(digest);
});

test.each([
  [
    'another model',
    { ...honest, 'model.onnx': { ...honest['model.onnx'], sha256: honest['golden.json'].sha256 } },
  ],
  ['golden answers of another size', { ...honest, 'golden.json': { ...honest['golden.json'], size: 1 } }],
])('%s attests another digest', (_, loaded) => {
  expect(attestedDigest(artifacts, loaded, signature)).not.toBe(digest);
});

test('another signature of the graph, or another tolerance, attests another digest', () => {
  const other = { ...signature, outputs: { ratio: { datatype: 'FP64' as const, shape: [-1, 1] } } };
  const loose = { ...artifacts, 'golden.json': { ...artifacts['golden.json']!, tolerance: 1 } };

  expect(attestedDigest(artifacts, honest, other)).not.toBe(digest);
  expect(attestedDigest(loose, honest, signature)).not.toBe(digest);
});

test('the content of a file is its hash and its size', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-attest-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const bytes = Buffer.alloc(200_000, 'x');
  await writeFile(join(folder, 'file'), bytes);

  expect(await readContent(join(folder, 'file'), AbortSignal.timeout(5000))).toEqual({
    sha256: sha256(bytes),
    size: 200_000,
  });
});
