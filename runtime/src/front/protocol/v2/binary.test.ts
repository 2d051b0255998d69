import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../engine/tensor.ts';
import type { Reply } from '../../../inference/call.ts';
import { bytesOf } from '../tensors/binary.ts';
import { v2 } from './index.ts';
import { decodeV2 } from './request.ts';
import { binary, refusal, takes, takesX, x } from './v2.fixture.ts';

const floats = (...values: number[]): Uint8Array => bytesOf(Float32Array.from(values));
const behind = (datatype: string, shape: number[], bytes: number, name = 'x') => ({
  name,
  datatype,
  shape,
  parameters: { binary_data_size: bytes },
});
const X = takesX('FP32', -1, 2);
const GOOD = { inputs: [behind('FP32', [1, 2], 8)] };

describe('a request with binary tensors', () => {
  test('may have JSON tensors among them, and has its tensors in the order of the JSON', () => {
    const backend = takes({
      a: { datatype: 'INT64', shape: [-1] },
      b: { datatype: 'FP32', shape: [-1] },
      c: { datatype: 'BYTES', shape: [-1] },
      d: { datatype: 'FP16', shape: [-1] },
    });
    const head = {
      inputs: [
        behind('BYTES', [1], 6, 'c'),
        { name: 'b', datatype: 'FP32', shape: [1], data: [2.5] },
        behind('FP16', [1], 2, 'd'),
        behind('INT64', [1], 8, 'a'),
      ],
    };
    const message = binary(head, [bytesOf(['hi']), Uint8Array.of(0, 60), bytesOf(BigInt64Array.of(-5n))]);

    const { inputs } = decodeV2(message).read(backend);

    expect([...inputs.values()].map(({ data }) => data)).toEqual([
      BigInt64Array.of(-5n),
      Float32Array.of(2.5),
      ['hi'],
      Float16Array.of(1),
    ]);
  });

  test.each<[string, object | string, Uint8Array[], string | undefined, string]>([
    [
      'a size that its shape does not have',
      { inputs: [behind('FP32', [1, 2], 4)] },
      [floats(1)],
      undefined,
      'takes 8 bytes',
    ],
    ['fewer bytes than it says', GOOD, [floats(1)], undefined, '4 bytes that are left'],
    ['more bytes than it says', GOOD, [floats(1, 2, 3)], undefined, '4 bytes are left'],
    ['a size below 0', { inputs: [behind('FP32', [1, 2], -8)] }, [], undefined, 'at least 0'],
    [
      'a size of a fraction',
      { inputs: [behind('FP32', [1, 2], 7.5)] },
      [floats(1, 2)],
      undefined,
      'whole number',
    ],
    [
      'a size beyond any memory',
      { inputs: [behind('FP32', [1, 2], 2 ** 53 - 1)] },
      [],
      undefined,
      'are left there',
    ],
    ['no size', { inputs: [x('FP32', [1, 2], undefined)] }, [floats(1, 2)], undefined, 'needs "data"'],
    [
      'a shape that overflows',
      { inputs: [behind('FP32', [2 ** 52, 2], 8)] },
      [floats(1, 2)],
      undefined,
      'element',
    ],
    [
      'a shape below 0',
      { inputs: [behind('FP32', [-1, 2], 8)] },
      [floats(1, 2)],
      undefined,
      'must have the shape',
    ],
    ['a header that is no number', GOOD, [floats(1, 2)], 'abc', 'whole number from 0 to'],
    ['a header below 0', GOOD, [floats(1, 2)], '-1', 'whole number from 0 to'],
    ['a header larger than the body', GOOD, [floats(1, 2)], '100000', 'whole number from 0 to'],
    ['a header beyond 64 bits', GOOD, [floats(1, 2)], '99999999999999999999', 'whole number from 0 to'],
    ['a header of a fraction', GOOD, [floats(1, 2)], '10.0', 'whole number from 0 to'],
    ['an empty header', GOOD, [floats(1, 2)], '', 'whole number from 0 to'],
    ['a header that cuts the JSON', GOOD, [floats(1, 2)], '10', 'not JSON'],
    ['a header that takes tensors for JSON', GOOD, [floats(1, 2)], '98', 'is no inference request'],
  ])('is refused with %s', (_, head, parts, header, words) => {
    const message = binary(head, parts, header);

    const error = refusal(() => decodeV2(message).read(X));

    expect(error.code).toMatch(/^E_(BODY|INPUT)$/);
    expect(error.message).toContain(words);
  });

  test('is told apart by its header from one with the same bytes', () => {
    const encodings = ['1', '2', undefined].map(length =>
      v2.encoding({ body: Buffer.alloc(0), header: () => length }),
    );

    expect(new Set(encodings).size).toBe(3);
  });
});

describe('a body of bytes alone', () => {
  const raw = (bytes: Uint8Array) => decodeV2(binary('', [bytes], '0'));

  test('is the one row of the one input', () => {
    const { inputs, rows } = raw(floats(1, 2)).read(X);

    expect(rows).toBe(1);
    expect(inputs.get('x')).toEqual({ datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) });
  });

  test('has its open dimension from its length', () => {
    const open = takes({ x: { datatype: 'FP32', shape: [-1, -1, 2] } });

    expect(
      raw(floats(1, 2, 3, 4))
        .read(open)
        .inputs.get('x')?.shape,
    ).toEqual([1, 2, 2]);
  });

  test('is the text itself, for an input of one text', () => {
    expect(
      raw(Buffer.from('hé'))
        .read(takesX('BYTES', -1, 1))
        .inputs.get('x'),
    ).toMatchObject({
      shape: [1, 1],
      data: ['hé'],
    });
  });

  test.each([
    ['of another length', X, floats(1), 'takes 8 bytes'],
    ['that is empty', takesX('FP32', -1, -1), new Uint8Array(0), 'at least one element'],
    ['that ends within an element', takesX('FP32', -1, -1), new Uint8Array(7), 'takes 4 bytes'],
    [
      'that the engine would cut',
      takesX('BYTES', -1, 1),
      Buffer.from('a\0b'),
      'text without a NUL character',
    ],
    [
      'for two inputs',
      takes({ a: X.signature.inputs['x']!, b: X.signature.inputs['x']! }),
      floats(1, 2),
      'models of one input',
    ],
    ['with two open dimensions', takesX('FP32', -1, -1, -1), floats(1), 'more than one open dimension'],
    ['for several texts', takesX('BYTES', -1, 2), Buffer.from('a'), 'only be one element'],
  ])('is refused %s', (_, backend, bytes, words) => {
    const error = refusal(() => raw(bytes).read(backend));

    expect(error.code).toBe('E_INPUT');
    expect(error.message).toContain(words);
  });

  test('is answered in binary', () => {
    const { head } = print(raw(floats(1, 2)).print({ model: 'm', backend: X, outputs: Y, nonFinite: [] }));

    expect(head.outputs).toEqual([
      { name: 'y', shape: [1, 1], datatype: 'FP32', parameters: { binary_data_size: 4 } },
      { name: 'z', shape: [1], datatype: 'BYTES', parameters: { binary_data_size: 7 } },
    ]);
  });
});

const Y = new Map<string, Tensor>([
  ['y', { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(0.5) }],
  ['z', { datatype: 'BYTES', shape: [1], data: ['hé'] }],
]);

/** A reply as its reader takes it apart. */
function print({ headers, body }: Reply) {
  const at = headers.indexOf('inference-header-content-length');
  const length = at === -1 ? body.length : Number(headers[at + 1]);
  const bytes = Buffer.from(body as Buffer);
  return {
    type: headers[headers.indexOf('content-type') + 1],
    isBinary: at !== -1,
    head: JSON.parse(bytes.toString('utf8', 0, length)),
    tail: bytes.subarray(length),
  };
}

describe('an answer', () => {
  const answer = (more: object) => {
    const body = { ...more, inputs: [x('FP32', [1, 2], [1, 2])] };
    return print(decodeV2(binary(body, [])).print({ model: 'm', backend: X, outputs: Y, nonFinite: ['y'] }));
  };

  test('is JSON alone, without the header, unless binary is asked for', () => {
    expect(answer({})).toMatchObject({ isBinary: false, type: 'application/json' });
    expect(answer({ parameters: { binary_data_output: false } }).isBinary).toBe(false);
  });

  test('is binary as a whole where the request says so', () => {
    const { head, tail, type } = answer({ id: 'ü', parameters: { binary_data_output: true } });

    expect(type).toBe('application/octet-stream');
    expect(head.id).toBe('ü');
    expect(head.outputs[0]).toEqual({
      name: 'y',
      shape: [1, 1],
      datatype: 'FP32',
      parameters: { binary_data_size: 4, non_finite: true },
    });
    expect([...tail]).toEqual([...floats(0.5), ...bytesOf(['hé'])]);
  });

  test('has each output in the form asked for it, those in binary in their order', () => {
    const outputs = [
      { name: 'z', parameters: { binary_data: true } },
      { name: 'y', parameters: { binary_data: false } },
    ];

    const { head, tail } = answer({ outputs, parameters: { binary_data_output: true } });

    expect(head.outputs).toEqual([
      { name: 'z', shape: [1], datatype: 'BYTES', parameters: { binary_data_size: 7 } },
      { name: 'y', shape: [1, 1], datatype: 'FP32', parameters: { non_finite: true }, data: [0.5] },
    ]);
    expect([...tail]).toEqual([...bytesOf(['hé'])]);
  });
});

test('halves keep every bit in binary, and are read as the same numbers from JSON', () => {
  const to = takesX('FP16', -1, 2);
  const halves = Uint8Array.of(0x00, 0x3c, 0x01, 0x7e);

  const request = decodeV2(binary({ inputs: [behind('FP16', [1, 2], 4)] }, [halves]));
  const data = request.read(to).inputs.get('x')!.data as Float16Array<ArrayBuffer>;
  const outputs = new Map([['x', { datatype: 'FP16' as const, shape: [1, 2], data }]]);
  const asked = binary({ inputs: [behind('FP16', [1, 2], 4)], parameters: { binary_data_output: true } }, [
    halves,
  ]);
  const { head, tail } = print(decodeV2(asked).print({ model: 'm', backend: to, outputs, nonFinite: ['x'] }));

  expect(data).toEqual(Float16Array.of(1, Number.NaN));
  expect(head.outputs).toEqual([
    { name: 'x', shape: [1, 2], datatype: 'FP16', parameters: { binary_data_size: 4, non_finite: true } },
  ]);
  expect([...tail]).toEqual([...halves]);
  expect(
    decodeV2(binary({ inputs: [x('FP16', [1, 2], [1, 0.1])] }, []))
      .read(to)
      .inputs.get('x')?.data,
  ).toEqual(Float16Array.of(1, 0.1));
});
