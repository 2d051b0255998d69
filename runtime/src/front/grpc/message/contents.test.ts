import type { Datatype } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeV2 } from '../../protocol/v2/request.ts';
import { backendOf, message, rawOf, read, refusal, x } from './codec.fixture.ts';
import { grpcMessages } from './protocol.ts';

/** Of each datatype: the field of its contents, and numbers at its edges, as a client's codec takes them. */
const TYPED: [Datatype, string, unknown[], unknown][] = [
  ['BOOL', 'bool_contents', [true, false, true], Uint8Array.of(1, 0, 1)],
  ['INT8', 'int_contents', [-128, 0, 127], Int8Array.of(-128, 0, 127)],
  ['INT16', 'int_contents', [-(2 ** 15), 2 ** 15 - 1], Int16Array.of(-(2 ** 15), 2 ** 15 - 1)],
  ['INT32', 'int_contents', [-(2 ** 31), 2 ** 31 - 1], Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
  [
    'INT64',
    'int64_contents',
    ['-9223372036854775808', '9007199254740993'],
    BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n),
  ],
  ['UINT8', 'uint_contents', [0, 255], Uint8Array.of(0, 255)],
  ['UINT16', 'uint_contents', [0, 65535], Uint16Array.of(0, 65535)],
  ['UINT32', 'uint_contents', [0, 2 ** 32 - 1], Uint32Array.of(0, 2 ** 32 - 1)],
  ['UINT64', 'uint64_contents', ['0', '18446744073709551615'], BigUint64Array.of(0n, 2n ** 64n - 1n)],
  ['FP32', 'fp32_contents', [0.1, -0, 3e38], Float32Array.of(0.1, -0, 3e38)],
  ['FP64', 'fp64_contents', [0.1, -1e300], Float64Array.of(0.1, -1e300)],
  ['BYTES', 'bytes_contents', [Buffer.from('ü'), Buffer.alloc(0), Buffer.from('abc')], ['ü', '', 'abc']],
];

describe('an InferTensorContents', () => {
  test.each(TYPED)('gives %s from its own contents', (datatype, field, values, expected) => {
    const input = x(datatype, [values.length], { [field]: values });

    const { inputs } = read(backendOf(datatype, -1), { inputs: [input] });

    expect(inputs.get('x')).toEqual({ datatype, shape: [values.length], data: expected });
  });

  test.each(TYPED)('gives %s from raw contents', (datatype, _, __, expected) => {
    const raw = rawOf(expected as never);
    const { length } = expected as { length: number };

    const { inputs } = read(backendOf(datatype, -1), {
      inputs: [x(datatype, [length], null)],
      raw_input_contents: [raw],
    });

    expect(inputs.get('x')).toEqual({ datatype, shape: [length], data: expected });
  });

  test('takes FP16 raw, and says so where it is not', () => {
    const backend = backendOf('FP16', -1);

    const { inputs } = read(backend, {
      inputs: [x('FP16', [2], null)],
      raw_input_contents: [Buffer.of(0, 0x3c, 1, 0x7e)],
    });
    const typed = refusal(() => read(backend, { inputs: [x('FP16', [1], { fp32_contents: [1] })] }));

    const { data } = inputs.get('x')!;
    expect(data).toEqual(Float16Array.of(1, Number.NaN));
    expect(rawOf(data as Float16Array<ArrayBuffer>)).toEqual(Buffer.of(0, 0x3c, 1, 0x7e));
    expect(typed).toMatchObject({ code: 'E_INPUT', message: expect.stringContaining('raw_input_contents') });
  });
  test.each<[string, Datatype, string, number, number]>([
    ['above', 'INT8', 'int_contents', 128, 127],
    ['below', 'INT16', 'int_contents', -(2 ** 15) - 1, -(2 ** 15)],
    ['above', 'UINT8', 'uint_contents', 256, 255],
    ['above', 'UINT16', 'uint_contents', 2 ** 16, 2 ** 16 - 1],
  ])('is refused with an element %s the range of %s, by its index', (_, datatype, field, bad, good) => {
    const request = { inputs: [x(datatype, [2], { [field]: [good, bad] })] };

    const error = refusal(() => read(backendOf(datatype, -1), request));

    expect(error).toMatchObject({ code: 'E_INPUT', details: { index: 1, got: String(bad) } });
  });
  test('takes elements that are not packed, and fields in any order', () => {
    const backend = backendOf('INT32', -1);
    const [name, datatype, shape] = [['0a0178'], ['1205494e543332'], ['1802']];
    // int_contents = 1, then -1, each a field of its own.
    const contents = ['2a0d', '1001', '10ffffffffffffffffff01'];
    const input = Buffer.from([contents, shape, datatype, name].flat().join(''), 'hex');
    const body = Buffer.concat([Buffer.of(0x2a, input.length), input]);

    const { inputs } = grpcMessages.decode(message(body)).read(backend);

    expect(inputs.get('x')).toEqual({ datatype: 'INT32', shape: [2], data: Int32Array.of(1, -1) });
  });
});

describe('the same rows', () => {
  const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
  const rows: [Datatype, string, fc.Arbitrary<number | boolean | string>][] = [
    ['FP32', 'fp32_contents', finite],
    ['FP64', 'fp64_contents', fc.double({ noNaN: true, noDefaultInfinity: true })],
    ['INT8', 'int_contents', fc.integer({ min: -128, max: 127 })],
    ['INT32', 'int_contents', fc.integer()],
    ['UINT16', 'uint_contents', fc.nat(65535)],
    ['INT64', 'int64_contents', fc.maxSafeInteger()],
    ['UINT64', 'uint64_contents', fc.maxSafeNat()],
    ['BOOL', 'bool_contents', fc.boolean()],
    ['BYTES', 'bytes_contents', fc.string({ unit: 'grapheme' })],
  ];

  test.each(rows)('of %s are the same tensors in JSON, in contents and raw', (datatype, field, element) => {
    const backend = backendOf(datatype, -1, 2);
    const values = fc.array(fc.tuple(element, element), { minLength: 1, maxLength: 9 });

    fc.assert(
      fc.property(values, pairs => {
        const data = pairs.flat();
        const shape = [pairs.length, 2];
        const json = decodeV2(
          message(
            Buffer.from(JSON.stringify({ inputs: [{ ...x(datatype, shape, null), data }] }, keepMinusZero)),
          ),
        ).read(backend);

        const contents = {
          [field]: datatype === 'BYTES' ? data.map(text => Buffer.from(String(text))) : data,
        };
        const typed = read(backend, { inputs: [x(datatype, shape, contents)] });
        const raw = read(backend, {
          inputs: [x(datatype, shape, null)],
          raw_input_contents: [rawOf(json.inputs.get('x')!.data as never)],
        });

        expect(typed).toEqual(json);
        expect(raw).toEqual(json);
      }),
      { numRuns: 50 },
    );
  });
});

/** JSON.stringify drops the sign of zero, which none of the three ways to write a request does. */
function keepMinusZero(_: string, value: unknown): unknown {
  return Object.is(value, -0) ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('-0') : value;
}
