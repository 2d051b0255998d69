import type { ArtifactDigest } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { rememberingFailures } from './artifact-failures.ts';
import { SwitchbackError } from './error.ts';

const digest = 'a'.repeat(64) as ArtifactDigest;
const object = { digest, sizeBytes: 5 };
const signal = new AbortController().signal;
const missing = () => new SwitchbackError('E_LFS_OBJECT', 'It is not there.');

test('what can not be given is remembered, since the first failure, until it comes', async () => {
  const answers = [missing, missing, () => null];
  let now = 100;
  const ensure = async (): Promise<string> => {
    const error = answers.shift()?.();
    if (error) throw error;
    return '/objects/a';
  };
  const files = rememberingFailures({ ensure }, { now: () => now });

  await expect(files.ensure(object, signal)).rejects.toThrow('not there');
  now = 200;
  await expect(files.ensure(object, signal)).rejects.toThrow('not there');

  expect([...files.failures()]).toEqual([
    [digest, { code: 'E_LFS_OBJECT', message: 'It is not there.', since: 100 }],
  ]);
  expect(await files.ensure(object, signal)).toBe('/objects/a');
  expect(files.failures().size).toBe(0);
});

test('who was told to stop has found nothing missing', async () => {
  const ensure = () => Promise.reject(new Error('stopped'));
  const files = rememberingFailures({ ensure }, { now: () => 1 });

  await expect(files.ensure(object, AbortSignal.abort())).rejects.toThrow('stopped');

  expect(files.failures().size).toBe(0);
});

test('no more than a thousand are remembered, the newest', async () => {
  const files = rememberingFailures({ ensure: () => Promise.reject(missing()) }, { now: () => 1 });

  for (let index = 0; index < 1005; index++) {
    const other = { digest: String(index).padStart(64, '0') as ArtifactDigest, sizeBytes: 1 };
    await files.ensure(other, signal).catch(() => {});
  }

  expect(files.failures().size).toBe(1000);
  expect([...files.failures().keys()].at(-1)).toMatch(/1004$/);
});
