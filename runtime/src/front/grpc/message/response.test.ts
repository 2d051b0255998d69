import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Datatype } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../engine/tensor.ts';
import { ratioVersion } from '../../../serving.fixture.ts';
import { loadDefinitions } from '../definitions.ts';
import { printResponse } from './response.ts';

interface Response {
  model_name: string;
  model_version: string;
  id: string;
  outputs: { name: string; datatype: string; shape: number[]; parameters: Record<string, object> }[];
  raw_output_contents: Buffer[];
}

/** The codec of others: what a client receives. */
const { ModelInfer } = loadDefinitions().all['inference.GRPCInferenceService'] as ServiceDefinition;
const decode = (body: Buffer): Response => ModelInfer!.responseDeserialize(body) as unknown as Response;

const { backend } = ratioVersion({ label: '1.3.0' });
const tensor = (datatype: Datatype, data: Tensor['data'], shape = [data.length]): Tensor => ({
  datatype,
  shape,
  data,
});
const answer = { model: 'ratio', backend, nonFinite: [] };
const print = (id: string, outputs: Record<string, Tensor>, nonFinite: string[] = []): Buffer =>
  printResponse(id, Object.entries(outputs), { ...answer, nonFinite });

describe('a ModelInferResponse', () => {
  test('names model, version and request, and holds each output raw in its order', () => {
    const outputs = {
      score: tensor('FP32', Float32Array.of(0.5, -1), [2, 1]),
      label: tensor('BYTES', ['gut', '', 'schön']),
    };

    const response = decode(print('a1', outputs));

    expect(response).toMatchObject({ model_name: 'ratio', model_version: '1.3.0', id: 'a1' });
    expect(response.outputs).toMatchObject([
      { name: 'score', datatype: 'FP32', shape: [2, 1], parameters: {} },
      { name: 'label', datatype: 'BYTES', shape: [3] },
    ]);
    expect(response.raw_output_contents.map(raw => raw.toString('hex'))).toEqual([
      '0000003f000080bf',
      '03000000677574' + '00000000' + '06000000736368c3b66e',
    ]);
  });

  test('holds only the outputs asked for, in the order asked', () => {
    const outputs = {
      a: tensor('INT8', Int8Array.of(1)),
      b: tensor('INT8', Int8Array.of(2)),
      c: tensor('INT8', Int8Array.of(3)),
    };

    const response = decode(
      printResponse(
        '',
        [
          ['c', outputs.c],
          ['a', outputs.a],
        ],
        answer,
      ),
    );

    expect(response.outputs.map(({ name }) => name)).toEqual(['c', 'a']);
    expect(response.raw_output_contents).toEqual([Buffer.of(3), Buffer.of(1)]);
    expect(response.id).toBe('');
  });

  test('marks an output that is not finite, and keeps its bits', () => {
    const outputs = { a: tensor('FP32', Float32Array.of(Number.NaN)), b: tensor('FP32', Float32Array.of(1)) };

    const response = decode(print('', outputs, ['a']));

    expect(response.outputs.map(({ parameters }) => parameters)).toEqual([
      { non_finite: { bool_param: true } },
      {},
    ]);
    expect(response.raw_output_contents[0]!.readFloatLE()).toBeNaN();
  });

  test('holds what lies in the middle of a larger array', () => {
    const data = Float64Array.of(9, 1, 2, 9).subarray(1, 3);

    const response = decode(print('', { a: tensor('FP64', data) }));

    expect(response.raw_output_contents[0]!.readDoubleLE(8)).toBe(2);
    expect(response.raw_output_contents[0]).toHaveLength(16);
  });

  test('is read back by the codec of others, whatever it holds', () => {
    const output = fc.record({
      datatype: fc.constantFrom<Datatype>('BYTES', 'UINT8'),
      texts: fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { maxLength: 20 }),
      shape: fc.array(fc.nat(2 ** 40), { maxLength: 5 }),
    });
    const outputs = fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), output, {
      noNullPrototype: true,
      maxKeys: 5,
    });

    fc.assert(
      fc.property(outputs, fc.string({ unit: 'grapheme' }), (all, id) => {
        const tensors = Object.entries(all).map(([name, { datatype, texts, shape }]): [string, Tensor] => [
          name,
          tensor(
            datatype,
            datatype === 'BYTES' ? texts : Uint8Array.from(texts, text => text.length % 256),
            shape,
          ),
        ]);
        const nonFinite = tensors.map(([name]) => name);

        const body = printResponse(id, tensors, { ...answer, nonFinite });
        const response = decode(body);

        expect(response.id).toBe(id);
        expect(response.outputs.map(({ name, shape }) => [name, shape])).toEqual(
          tensors.map(([name, { shape }]) => [name, shape]),
        );
        expect(response.raw_output_contents.map(raw => raw.length)).toEqual(
          tensors.map(([, { data }]) => rawBytes(data)),
        );
      }),
    );
  });
});

function rawBytes(data: Tensor['data']): number {
  if (ArrayBuffer.isView(data)) return data.byteLength;
  return (data as string[]).reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0);
}
