import { InferenceResponse } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Tensor } from '../../../engine/tensor.ts';
import { ratioVersion } from '../../../serving.fixture.ts';
import { printResponse } from './response.ts';

const { backend } = ratioVersion({ label: '1.2.0' });

function print(
  outputs: Record<string, Tensor>,
  options: { id?: string; asked?: string[]; nonFinite?: string[]; model?: string } = {},
): string {
  const { id, asked = null, nonFinite = [], model = 'm' } = options;
  const request = {
    id,
    outputs: asked?.map(name => ({ name, isBinary: undefined, classes: 0 })) ?? null,
    isBinary: false,
  };
  const answer = { model, backend, outputs: new Map(Object.entries(outputs)), nonFinite };
  const { headers, body } = printResponse(request, answer);
  expect(headers).toEqual(['content-type', 'application/json']);
  return String(body);
}

test('every 32-bit number reads back as itself', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), values => {
      const data = Float32Array.from(values);

      const body = JSON.parse(print({ y: { datatype: 'FP32', shape: [data.length], data } }));

      const back = Float32Array.from(body.outputs[0].data as number[]);
      expect([...back].every((value, i) => value === data[i])).toBe(true);
    }),
  );
});

test('a 32-bit number is printed without digits that it does not have', () => {
  const text = print({ y: { datatype: 'FP32', shape: [3], data: Float32Array.of(0.1, 1 / 3, 16777216) } });

  expect(text).toContain('"data":[0.1,0.33333334,16777216]');
});

test('a body is what the protocol says, with id, version and names escaped', () => {
  const text = print(
    {
      'a"b': { datatype: 'INT64', shape: [1], data: BigInt64Array.of(9007199254740993n) },
      t: { datatype: 'BYTES', shape: [2], data: ['x"y', 'ü'] },
      flag: { datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
    },
    { id: 'i"d' },
  );

  expect(text).toContain('9007199254740993');
  expect(InferenceResponse.parse(JSON.parse(text))).toMatchObject({
    model_name: 'm',
    model_version: '1.2.0',
    id: 'i"d',
    outputs: [
      { name: 'a"b', shape: [1], datatype: 'INT64' },
      { name: 't', data: ['x"y', 'ü'] },
      { name: 'flag', data: [true, false] },
    ],
  });
});

test('NaN and infinities are null, and their tensor says so', () => {
  const data = Float64Array.of(1, Number.NaN, Number.NEGATIVE_INFINITY);

  const body = JSON.parse(print({ y: { datatype: 'FP64', shape: [3], data } }, { nonFinite: ['y'] }));

  expect(body.outputs).toEqual([
    { name: 'y', shape: [3], datatype: 'FP64', parameters: { non_finite: true }, data: [1, null, null] },
  ]);
});

test('only the outputs asked for are sent, in the order asked', () => {
  const one: Tensor = { datatype: 'FP32', shape: [1], data: Float32Array.of(1) };

  const body = JSON.parse(print({ a: one, b: one, c: one }, { asked: ['c', 'a'] }));

  expect(body.outputs.map(({ name }: { name: string }) => name)).toEqual(['c', 'a']);
});

test('every datatype is printed as JSON that says the same', () => {
  const data: Record<string, Tensor['data']> = {
    FP64: Float64Array.of(0.1, -0, 1e300),
    FP16: Float16Array.of(0.1, -0, 65504, 2 ** -24, 2049),
    INT8: Int8Array.of(-128, 127),
    UINT32: Uint32Array.of(0, 2 ** 32 - 1),
    INT64: BigInt64Array.of(-(2n ** 63n)),
    UINT64: BigUint64Array.of(2n ** 64n - 1n),
    BOOL: Uint8Array.of(0, 1),
    BYTES: ['', 'a"b', '\u2028', 'é'],
  };
  const outputs = Object.entries(data).map(([datatype, values]) => [
    datatype,
    { datatype, shape: [values.length], data: values },
  ]);

  const text = print(Object.fromEntries(outputs) as Record<string, Tensor>);

  expect(text).toContain('"data":[0.1,-0,1e+300]');
  expect(text).toContain('"data":[0.1,-0,65504,6e-8,2048]');
  expect(text).toContain('"data":[-9223372036854775808]');
  expect(text).toContain('"data":[18446744073709551615]');
  expect(
    JSON.parse(text)
      .outputs.map(({ data }: { data: unknown }) => data)
      .toSpliced(4, 2),
  ).toEqual([
    [0.1, -0, 1e300],
    [0.1, -0, 65504, 6e-8, 2048],
    [-128, 127],
    [0, 4294967295],
    [false, true],
    ['', 'a"b', '\u2028', 'é'],
  ]);
});

test('one revision behind two models is printed under the name of each', () => {
  const one: Tensor = { datatype: 'FP32', shape: [1], data: Float32Array.of(1) };

  const names = ['a', 'b', 'a'].map(model => JSON.parse(print({ y: one }, { model })).model_name);

  expect(names).toEqual(['a', 'b', 'a']);
});

test('no outputs are none, and a large answer is whole', () => {
  const many = 100_000;
  const large: Tensor = { datatype: 'INT32', shape: [many], data: new Int32Array(many).fill(-123456789) };

  expect(JSON.parse(print({ y: large }, { asked: [] })).outputs).toEqual([]);
  expect(JSON.parse(print({ y: large })).outputs[0].data).toHaveLength(many);
  expect(JSON.parse(print({ y: large }, { id: 'ü'.repeat(200) })).id).toHaveLength(200);
});
