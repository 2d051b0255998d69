import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Signature } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askGraph, readSignature, sayingOf } from './trial.ts';

const EXAMPLE = fileURLToPath(
  new URL('../../../../examples/model-repo/models/screening/versions/1.0.0/', import.meta.url),
);
const MODEL = join(EXAMPLE, 'model.onnx');
const SIGNATURE: Signature = {
  inputs: { features: { datatype: 'FP32', shape: [-1, 30] } },
  outputs: { score: { datatype: 'FP32', shape: [-1, 1] } },
};
const signal = AbortSignal.timeout(60_000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-trial-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a trial of a model', () => {
  const row = { datatype: 'FP32' as const, shape: [1, 30], data: Array<number>(30).fill(1) };
  const asked = { signature: SIGNATURE, rows: { features: row }, tolerance: 1e-5 };

  it('tells its signature, and its answers to rows', async () => {
    expect(await readSignature(MODEL, signal)).toEqual(SIGNATURE);
    expect(await askGraph(MODEL, asked, signal)).toMatchObject({
      score: { datatype: 'FP32', shape: [1, 1] },
    });
  });

  it('refuses a graph that is not the one any more whose signature was read', async () => {
    const signature = { ...SIGNATURE, outputs: { other: { datatype: 'FP32' as const, shape: [-1, 1] } } };

    await expect(askGraph(MODEL, { ...asked, signature }, signal)).rejects.toMatchObject({
      code: 'E_MODEL_SIGNATURE',
    });
  });

  it.each<[string, () => Promise<string>, string]>([
    ['a pickle', () => file(Buffer.from('80049512000000', 'hex')), 'a pickle, which runs code'],
    [
      'more than two gigabytes',
      async () => {
        const path = await file('');
        await truncate(path, 2.5 * 2 ** 30);
        return path;
      },
      'it has 2.5 GiB',
    ],
  ])('refuses %s with the words of the trial', async (_, make, what) => {
    await expect(readSignature(await make(), signal)).rejects.toMatchObject({
      code: 'E_MODEL_LOAD',
      message: expect.stringContaining(what),
    });
  });

  it('ends with whoever asked for it', async () => {
    await expect(readSignature(MODEL, AbortSignal.abort(new Error('not wanted')))).rejects.toThrow(
      'not wanted',
    );
  });
});

describe('the last words of a trial that broke down', () => {
  it.each([
    ['', ''],
    [
      "node:internal/modules:1\n  throw err;\n\nError: Cannot find module '/srv/secret place/trial.ts'\n    at x (/srv/a/b.js:1:2)\n\nNode.js v24.0.0",
      " and said: Error: Cannot find module 'a file place/trial.ts'",
    ],
    ['FATAL ERROR: Reached heap limit', ' and said: FATAL ERROR: Reached heap limit'],
  ])('name the error and no file: %j', (lastWords, expected) => {
    expect(sayingOf(lastWords)).toBe(expected);
  });
});

let files = 0;
async function file(content: string | Uint8Array): Promise<string> {
  const path = join(folder, `${files++}.onnx`);
  await writeFile(path, content);
  return path;
}
