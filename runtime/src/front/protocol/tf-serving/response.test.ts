import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../engine/tensor.ts';
import type { Reply } from '../../../inference/call.ts';
import { printColumns, printRows } from './response.ts';

const fp32 = (shape: number[], ...values: number[]): Tensor => ({
  datatype: 'FP32',
  shape,
  data: Float32Array.from(values),
});
const isBytes = (name: string) => name.endsWith('_bytes');

function rows(outputs: Record<string, Tensor>, nonFinite: string[] = []): Reply {
  return printRows('predictions', new Map(Object.entries(outputs)), nonFinite, isBytes);
}

function columns(outputs: Record<string, Tensor>): Reply {
  return printColumns('outputs', new Map(Object.entries(outputs)), [], isBytes);
}

describe('an answer', () => {
  test('of one output is its tensor, nested to its shape', () => {
    const y = fp32([2, 1, 2], 1, 2.5, -3, 0.1);

    expect(rows({ y }).body).toBe('{"predictions":[[[1.0,2.5]],[[-3.0,0.1]]]}');
    expect(columns({ y }).body).toBe('{"outputs":[[[1.0,2.5]],[[-3.0,0.1]]]}');
  });

  test('of several outputs is an object for each row, or one of tensors', () => {
    const outputs: Record<string, Tensor> = {
      label: { datatype: 'INT64', shape: [2], data: BigInt64Array.of(9007199254740993n, -1n) },
      scores: fp32([2, 2], 0.25, 0.75, 1, 0),
      'say"it"': { datatype: 'BYTES', shape: [2], data: ['ü', '"'] },
      raw_bytes: { datatype: 'BYTES', shape: [2], data: ['ü', ''] },
      sure: { datatype: 'BOOL', shape: [2, 1], data: Uint8Array.of(1, 0) },
    };

    expect(String(rows(outputs).body)).toBe(
      '{"predictions":[' +
        '{"label":9007199254740993,"scores":[0.25,0.75],"say\\"it\\"":"ü","raw_bytes":{"b64":"w7w="},"sure":[true]},' +
        '{"label":-1,"scores":[1.0,0.0],"say\\"it\\"":"\\"","raw_bytes":{"b64":""},"sure":[false]}]}',
    );
    expect(JSON.parse(String(columns(outputs).body))).toMatchObject({
      outputs: {
        scores: [
          [0.25, 0.75],
          [1, 0],
        ],
        raw_bytes: [{ b64: 'w7w=' }, { b64: '' }],
        sure: [[true], [false]],
      },
    });
  });

  test.each<[string, Tensor, string]>([
    ['a scalar', fp32([], 2), '2.0'],
    ['nothing', fp32([0, 2]), '[]'],
    ['rows of nothing', fp32([2, 0]), '[[],[]]'],
    [
      'what is very large',
      { datatype: 'FP64', shape: [3], data: Float64Array.of(1e21, 1e20, -1e300) },
      '[1e+21,100000000000000000000.0,-1e+300]',
    ],
    ['negative nought', { datatype: 'FP64', shape: [1], data: Float64Array.of(-0) }, '[-0.0]'],
  ])('may be %s', (_, y, text) => {
    expect(columns({ y }).body).toBe(`{"outputs":${text}}`);
  });

  test('says which outputs hold what JSON has no number for, and null in its place', () => {
    const { body, headers } = rows(
      { a: fp32([3, 1], Number.NaN, Number.POSITIVE_INFINITY, 1), b: fp32([3], 1, 2, 3) },
      ['a'],
    );

    expect(JSON.parse(String(body)).predictions).toEqual([
      { a: [null], b: 1 },
      { a: [null], b: 2 },
      { a: [1], b: 3 },
    ]);
    expect(headers.slice(2)).toEqual(['x-switchback-non-finite', 'a']);
  });

  test('reads back as the very numbers, whatever they are', () => {
    const finite = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.integer().map(Math.fround),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(finite, finite), { minLength: 1 }), pairs => {
        const y = fp32([pairs.length, 2], ...pairs.flat());

        const { predictions } = JSON.parse(String(rows({ y }).body));

        expect(predictions.map((row: number[]) => row.map(Math.fround))).toEqual(pairs);
      }),
    );
  });

  test('in halves is told in the digits that they have, as numbers with a fraction', () => {
    const y: Tensor = {
      datatype: 'FP16',
      shape: [2, 3],
      data: Float16Array.of(0.1, 65504, -0, 2 ** -24, Number.NaN, -1),
    };

    expect(rows({ y }, ['y']).body).toBe('{"predictions":[[0.1,65504.0,-0.0],[6e-8,null,-1.0]]}');
  });
});
