import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readV2, v2Request, v2Response } from '../v2.ts';
import { MODELS, modelNamed } from './models.ts';
import { isAnswer, makeSample, type Sample } from './sample.ts';

async function sampleOf(name: string, seed = 1): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-sample-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return makeSample(modelNamed(name), folder, seed);
}

test.each(MODELS.map(({ name }) => name))(
  'ONNX Runtime opens %s, and answers each row finitely and otherwise than the others',
  async name => {
    const { model, rows, answers } = await sampleOf(name);

    expect(answers).toHaveLength(rows.length);
    for (const answer of answers) {
      expect(answer).toHaveLength(model.outputs);
      expect(answer.every(Number.isFinite)).toBe(true);
    }
    expect(new Set(answers.map(String)).size).toBe(rows.length);
  },
);

test.each(MODELS.map(({ name }) => name))('the bytes of %s are those of its seed', name => {
  const { bytes } = modelNamed(name);

  expect(Buffer.compare(bytes(1), bytes(1))).toBe(0);
  expect(Buffer.compare(bytes(1), bytes(2))).not.toBe(0);
  expect(bytes(1)).toHaveLength(bytes(2).length);
});

test.each(['json', 'binary'] as const)('an answer in %s reads back as what was said', async encoding => {
  const sample = await sampleOf('iris');
  const answer = sample.answers[3]!;

  const { headers, body } = v2Response(sample, answer, encoding);
  const got = readV2(body, headers['inference-header-content-length'] ?? null);

  expect(isAnswer(got, answer)).toBe(true);
  expect(isAnswer(got, sample.answers[4]!)).toBe(false);
  expect(isAnswer(got.slice(1), answer)).toBe(false);
});

test('a request in binary tensors holds the very bits of the row', async () => {
  const sample = await sampleOf('trees');
  const row = sample.rows[0]!;

  const { headers, body } = v2Request(sample, row, 'binary');
  const raw = body.subarray(Number(headers['inference-header-content-length']));

  expect(new Float32Array(Uint8Array.from(raw).buffer)).toEqual(row);
});
