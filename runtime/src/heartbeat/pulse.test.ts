import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '@switchback-ml/schemas';
import { expect, onTestFinished, test } from 'vitest';
import { ratioVersion } from '../serving.fixture.ts';
import { readPulse } from './pulse.ts';

const column = (shape: number[], ...data: number[]) => ({ datatype: 'FP32', shape, data });

async function pulseOf(golden: object, signature?: Backend['signature']) {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-pulse-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'golden.json');
  await writeFile(path, JSON.stringify(golden));
  const { backend } = ratioVersion({ ...(signature !== undefined && { signature }) });
  backend.artifacts['golden.json'] = { ...backend.artifacts['golden.json']!, tolerance: 0.01 };
  return readPulse(path, backend);
}

const GOLDEN = {
  inputs: { numerator: column([3, 1], 6, 1, 2), denominator: column([3, 1], 3, 4, 2) },
  outputs: { ratio: column([3, 1], 2, 0.25, 1) },
};

test('a pulse is one golden row where the graph takes any number, and holds no other', async () => {
  const { inputs, outputs, tolerance } = await pulseOf(GOLDEN);

  expect(outputs.get('ratio')).toEqual({ datatype: 'FP32', shape: [1, 1], data: Float32Array.of(2) });
  expect(inputs.get('denominator')?.data).toEqual(Float32Array.of(3));
  expect((inputs.get('numerator')!.data as Float32Array).buffer.byteLength).toBe(4);
  expect(tolerance).toBe(0.01);
});

test('a pulse is as many rows as the graph takes at a time', async () => {
  const spec = { datatype: 'FP32' as const, shape: [3, 1] };

  const { outputs } = await pulseOf(GOLDEN, {
    inputs: { numerator: spec, denominator: spec },
    outputs: { ratio: spec },
  });

  expect(outputs.get('ratio')?.data).toEqual(Float32Array.of(2, 0.25, 1));
});
