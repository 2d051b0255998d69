import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openGraph } from '../raw/graph.ts';
import type { BenchModel } from './models.ts';
import { normals, randomFrom } from './random.ts';

/** More than one, so that nobody is fast by knowing the only question. */
const ROWS = 16;
const ROWS_SEED = 4711;

/** A model as a file, rows to ask, and what ONNX Runtime itself answers to them. */
export interface Sample {
  model: BenchModel;
  seed: number;
  /** Of the ONNX file. */
  path: string;
  onnx: Uint8Array;
  /** Each a question of one row. */
  rows: readonly Float32Array[];
  answers: readonly Float32Array[];
}

/** Writes the model into a folder and asks ONNX Runtime for the answers. */
export async function makeSample(model: BenchModel, folder: string, seed = 1): Promise<Sample> {
  const onnx = model.bytes(seed);
  const path = join(folder, `${model.name}-${seed}.onnx`);
  await mkdir(folder, { recursive: true });
  await writeFile(path, onnx);
  const width = model.inputShape.reduce((product, size) => product * size, 1);
  const random = randomFrom(ROWS_SEED);
  const rows = Array.from({ length: ROWS }, () => normals(random, width, 1));
  const graph = await openGraph(path, model.inputShape);
  try {
    const answers: Float32Array[] = [];
    for (const row of rows) answers.push(await graph.run(row, 1));
    return { model, seed, path, onnx, rows, answers };
  } finally {
    await graph[Symbol.asyncDispose]();
  }
}

/** Whether an answer is the right one: as near as a protocol that prints decimals comes. */
export function isAnswer(got: ArrayLike<number>, want: ArrayLike<number>): boolean {
  if (got.length !== want.length) return false;
  return Array.from(want).every((value, index) => Math.abs(value - (got[index] ?? Number.NaN)) <= 1e-4);
}
