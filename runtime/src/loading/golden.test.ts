import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Signature } from '@switchback-ml/schemas';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Tensor, Tensors } from '../engine/tensor.ts';
import { type Golden, goldenDifference, goldenPortions, readGolden } from './golden.ts';

const column = (...values: number[]): Tensor => ({
  datatype: 'FP32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const y = (...values: number[]): Tensors => new Map([['y', column(...values)]]);
const signature = (rows: number): Signature => ({
  inputs: { x: { datatype: 'FP32', shape: [rows] } },
  outputs: { y: { datatype: 'FP32', shape: [rows] } },
});

describe('golden answers', () => {
  test.each<[string, Tensors, Tensors, number, string | null]>([
    ['equal', y(1, 2), y(1, 2), 1e-5, null],
    ['near, by the tolerance', y(0.5), y(0.500009), 1e-5, null],
    ['near, by the tolerance of their size', y(1_000_000), y(1_000_005), 1e-5, null],
    ['far', y(1, 2.1, 3.1), y(1, 2, 3), 0.01, 'row 1: y is 2.0999'],
    ['NaN', y(Number.NaN), y(1), 1, 'row 0: y is NaN'],
    ['infinite', y(Infinity), y(1), 1, 'row 0: y is Infinity'],
    ['fewer', y(1), y(1, 2), 1, 'has 1 values and should have 2'],
    ['absent', new Map(), y(1), 1, 'there is no output "y"'],
  ])('that are %s', (_, got, want, tolerance, difference) => {
    const found = goldenDifference(got, want, tolerance);

    if (difference === null) expect(found).toBeNull();
    else expect(found).toContain(difference);
  });

  test('of whole numbers and of text must be equal', () => {
    const whole = (n: bigint): Tensors =>
      new Map([['y', { datatype: 'INT64', shape: [1], data: BigInt64Array.of(n) }]]);
    const word = (text: string): Tensors => new Map([['y', { datatype: 'BYTES', shape: [1], data: [text] }]]);

    expect(goldenDifference(whole(5n), whole(5n), 1)).toBeNull();
    expect(goldenDifference(whole(5n), whole(6n), 1)).toContain('row 0: y is 5 and should be 6');
    expect(goldenDifference(word('a'), word('a'), 1)).toBeNull();
    expect(goldenDifference(word('a'), word('b'), 1)).toContain('should be b');
  });

  test('of halves are near to their neighbours, whatever the tolerance, and no nearer to others', () => {
    const halves = (...values: number[]): Tensors =>
      new Map([['y', { datatype: 'FP16', shape: [values.length], data: Float16Array.from(values) }]]);
    const next = (value: number, steps: number): number => {
      const one = Float16Array.of(value);
      new Uint16Array(one.buffer)[0]! += steps;
      return one[0]!;
    };
    const values = [0, 2 ** -24, 0.1, 0.5, 1, 1.5, 2, 1000, 65472];

    for (const value of values)
      expect(goldenDifference(halves(next(value, 1)), halves(value), 1e-9)).toBeNull();
    expect(goldenDifference(halves(next(1, 2)), halves(1), 1e-5)).toBe(
      'row 0: y is 1.002 and should be 1 (tolerance 0.001); 1 of 1 values differ',
    );
    expect(goldenDifference(halves(next(1, 2)), halves(1), 0.01)).toBeNull();
    expect(goldenDifference(halves(Number.NaN), halves(1), 1)).toContain('y is NaN');
  });

  test('that differ are named by row and place in it, counted over all portions', () => {
    const wide = (...values: number[]): Tensors =>
      new Map([['probabilities', { datatype: 'FP32', shape: [2, 3], data: Float32Array.from(values) }]]);
    const got = wide(0.5, 0.25, 0.25, 0, 0.75, 0.25);

    const difference = goldenDifference(got, wide(0.5, 0.25, 0.25, 0, 0.5, 0.5), 1e-5, 64);

    expect(difference).toBe(
      'row 65: probabilities[1] is 0.75 and should be 0.5 (tolerance 0.00001); 2 of 6 values differ',
    );
  });

  test.each<[string, number, number, number[]]>([
    ['as many as a batch may have', -1, 2, [2, 2, 1]],
    ['all, when they fit', -1, 64, [5]],
    ['as many as the graph takes', 5, 1, [5]],
    ['one by one for a graph that takes one', 1, 64, [1, 1, 1, 1, 1]],
    ['all, for a graph that takes a number that does not divide them', 2, 64, [5]],
  ])('are asked for %s', (_, rows, maxBatch, expected) => {
    const golden: Golden = { inputs: new Map([['x', column(1, 2, 3, 4, 5)]]), outputs: y(1, 2, 3, 4, 5) };

    const portions = goldenPortions(golden, signature(rows), maxBatch);

    expect(portions.map(({ inputs }) => inputs.get('x')?.shape[0])).toEqual(expected);
    expect(portions.flatMap(({ outputs }) => [...(outputs.get('y')?.data ?? [])])).toEqual([1, 2, 3, 4, 5]);
  });

  test.each([
    ['no JSON', '{', 'are no JSON'],
    ['no answer', '{"inputs":{},"outputs":{}}', 'are none'],
    ['another document', '{"inputs":{}}', 'of another form: outputs: expected record'],
    [
      'rows as people write them',
      '{"inputs":{"x":[[1],[2]]},"outputs":{}}',
      'of another form: inputs.x: expected object, received array; it is {"inputs": {"<name>": {"datatype": "FP32"',
    ],
    [
      'a shape that is none',
      '{"inputs":{"x":{"datatype":"FP32","shape":[-1,1],"data":[1]}},"outputs":{}}',
      'inputs.x.shape.0: ',
    ],
    [
      'a field that is not there',
      '{"rows":[],"inputs":{},"outputs":{}}',
      'the document: there is no rows there',
    ],
    [
      'a value that its datatype is too small for',
      '{"inputs":{"x":{"datatype":"FP16","shape":[2],"data":[65504,65520]}},"outputs":{}}',
      'give "x" the value 65520, which is no finite FP16',
    ],
    [
      'a text that no graph gets whole',
      '{"inputs":{"x":{"datatype":"BYTES","shape":[1],"data":["a\\u0000b"]}},"outputs":{}}',
      'give "x" a text with a NUL character',
    ],
    [
      'fewer values than their shape says',
      '{"inputs":{"x":{"datatype":"FP32","shape":[3],"data":[1]}},"outputs":{}}',
      '1 values for "x"',
    ],
  ])('are refused when the file holds %s', async (_, text, message) => {
    const folder = await mkdtemp(join(tmpdir(), 'switchback-golden-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'golden.json');
    await writeFile(path, text);

    await expect(readGolden(path)).rejects.toMatchObject({
      code: 'E_MODEL_GOLDEN',
      message: expect.stringContaining(message),
    });
  });
});
