import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ratioModel } from './engine/onnx/graph.fixture.ts';

const TRIAL = fileURLToPath(new URL('./trial.ts', import.meta.url));
const EXAMPLE = fileURLToPath(
  new URL('../../examples/model-repo/models/screening/versions/1.0.0/', import.meta.url),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-trial-'));
  await writeFile(join(folder, 'ratio.onnx'), ratioModel());
  await writeFile(join(folder, 'broken.onnx'), 'nonsense');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function trial(...args: string[]): Promise<{ code: number; line: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [TRIAL, ...args], (error, stdout) => {
      const lines = stdout.trimEnd().split('\n');
      if (lines.length !== 1) return reject(new Error(`not one line: ${stdout}`));
      resolve({ code: Number(error?.code ?? 0), line: JSON.parse(lines[0]!) });
    });
  });
}

test('a trial tells the signature of a graph', async () => {
  const { code, line } = await trial('--model', join(EXAMPLE, 'model.onnx'));

  expect(code).toBe(0);
  expect(line).toEqual({
    signature: {
      inputs: { features: { datatype: 'FP32', shape: [-1, 30] } },
      outputs: { score: { datatype: 'FP32', shape: [-1, 1] } },
    },
  });
});

test('a trial answers rows as golden.json has them', async () => {
  const golden = join(EXAMPLE, 'golden.json');

  const { line } = await trial('--model', join(EXAMPLE, 'model.onnx'), '--rows', golden);

  const want = JSON.parse(await readFile(golden, 'utf8')).outputs.score;
  const { score } = line['outputs'] as Record<string, { data: number[] }>;
  expect(score).toMatchObject({ datatype: 'FP32', shape: want.shape });
  for (const [index, value] of score!.data.entries()) expect(value).toBeCloseTo(want.data[index], 4);
});

test('a trial prints a NaN as null', async () => {
  const rows = join(folder, 'rows.json');
  const column = (data: number[]) => ({ datatype: 'FP32', shape: [2, 1], data });
  await writeFile(
    rows,
    JSON.stringify({ inputs: { numerator: column([0, 1]), denominator: column([0, 2]) } }),
  );

  const { line } = await trial('--model', join(folder, 'ratio.onnx'), '--rows', rows);

  expect(line['outputs']).toEqual({ ratio: { datatype: 'FP32', shape: [2, 1], data: [null, 0.5] } });
});

test.each([
  ['a file that is no model', ['--model', 'broken.onnx'], 'E_MODEL_LOAD'],
  ['no file', ['--model', 'absent.onnx'], 'E_MODEL_LOAD'],
  ['rows that are no rows', ['--model', 'ratio.onnx', '--rows', 'broken.onnx'], 'E_INPUT'],
  ['a wrong option', ['--modle', 'ratio.onnx'], 'E_USAGE'],
])('a trial of %s says what is wrong and fails', async (_, args, expected) => {
  const { code, line } = await trial(...args.map(arg => (arg.startsWith('--') ? arg : join(folder, arg))));

  expect(code).toBe(1);
  expect(line).toEqual({ error: { code: expected, message: expect.not.stringContaining(folder) } });
});
