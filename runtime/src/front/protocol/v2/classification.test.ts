import { expect, test } from 'vitest';
import type { Tensor } from '../../../engine/tensor.ts';
import { classify } from './classification.ts';
import { decode, refusal, takes, x } from './v2.fixture.ts';

const scores: Tensor = {
  datatype: 'FP32',
  shape: [2, 3],
  data: Float32Array.of(0.1, 0.7, 0.2, 0.5, Number.NaN, 0.5),
};

test('the highest of each row come first, equal ones in their order, a NaN last', () => {
  expect(classify(scores, 2, true)).toEqual({
    datatype: 'BYTES',
    shape: [2, 2],
    data: ['0.7:1', '0.2:2', '0.5:0', '0.5:2'],
  });
  expect(classify(scores, 99, true)).toMatchObject({ shape: [2, 3], data: { 5: 'null:1' } });
});

test('halves are scored as they are printed', () => {
  const halves: Tensor = { datatype: 'FP16', shape: [1, 3], data: Float16Array.of(0.1, 0.7, -65504) };

  expect(classify(halves, 3, true).data).toEqual(['0.7:1', '0.1:0', '-65504:2']);
});

test('without rows, all elements are of one', () => {
  const whole: Tensor = { datatype: 'INT64', shape: [2, 2], data: BigInt64Array.of(1n, 9n, -3n, 4n) };

  expect(classify(whole, 1, false)).toEqual({ datatype: 'BYTES', shape: [1], data: ['9:1'] });
});

test('is printed in the place of the output', () => {
  const backend = takes(
    { x: { datatype: 'FP32', shape: [-1] } },
    { y: { datatype: 'FP32', shape: [-1, 3] } },
  );
  const request = decode({
    inputs: [x('FP32', [2], [1, 2])],
    outputs: [{ name: 'y', parameters: { classification: 1 } }],
  });

  const { body } = request.print({ model: 'm', backend, outputs: new Map([['y', scores]]), nonFinite: [] });

  expect(request.read(backend).rows).toBe(2);
  expect(JSON.parse(String(body)).outputs).toEqual([
    { name: 'y', shape: [2, 1], datatype: 'BYTES', data: ['0.7:1', '0.5:0'] },
  ]);
});

test('texts are not classified', () => {
  const backend = takes({ x: { datatype: 'FP32', shape: [-1] } }, { y: { datatype: 'BYTES', shape: [-1] } });
  const outputs = [{ name: 'y', parameters: { classification: 1 } }];

  const error = refusal(() => decode({ inputs: [x('FP32', [1], [1])], outputs }).read(backend));

  expect(error).toMatchObject({ code: 'E_INPUT', details: { tensor: 'y', got: 'classification' } });
});
