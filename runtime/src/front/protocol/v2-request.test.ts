import type { Backend, Datatype, TensorSpec } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SwitchbackError } from '../../error.ts';
import { ratioVersion } from '../../serving.fixture.ts';
import { parseRequest, readTensors } from './v2-request.ts';

function backend(inputs: Record<string, TensorSpec>, maxBatch = 8): Backend {
  const outputs = { y: { datatype: 'FP32' as const, shape: [-1, 1] } };
  return { ...ratioVersion({ limits: { maxBatch } }).backend, signature: { inputs, outputs } };
}

const X = (datatype: Datatype, ...shape: number[]) => backend({ x: { datatype, shape } });

function read(to: Backend, ...inputs: object[]) {
  return readTensors(parseRequest(Buffer.from(JSON.stringify({ inputs }))), to);
}

function refusal(act: () => unknown): SwitchbackError {
  try {
    act();
  } catch (error) {
    return error as SwitchbackError;
  }
  throw new Error('nothing was refused');
}

const x = (datatype: string, shape: unknown[], data: unknown, more: object = {}) => ({
  name: 'x',
  datatype,
  shape,
  data,
  ...more,
});

describe('reading tensors', () => {
  test.each([
    ['flat', [1, 2, 3, 4, 5, 6]],
    [
      'nested',
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
  ])('takes %s data', (_, data) => {
    const { inputs, rows } = read(X('FP32', -1, 3), x('FP32', [2, 3], data));

    expect(rows).toBe(2);
    expect(inputs.get('x')).toEqual({
      datatype: 'FP32',
      shape: [2, 3],
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  test.each<[Datatype, unknown[], unknown]>([
    ['BOOL', [true, false, 1, 0], Uint8Array.of(1, 0, 1, 0)],
    ['INT64', [-(2 ** 53) + 1, 2 ** 53 - 1], BigInt64Array.of(-(2n ** 53n) + 1n, 2n ** 53n - 1n)],
    ['UINT8', [0, 255], Uint8Array.of(0, 255)],
    ['INT8', [-128, 127], Int8Array.of(-128, 127)],
    ['FP64', [1e300, -0.1], Float64Array.of(1e300, -0.1)],
    ['BYTES', ['a', 'ü'], ['a', 'ü']],
  ])('takes %s at its edges', (datatype, data, expected) => {
    const { inputs } = read(X(datatype, -1), x(datatype, [data.length], data));

    expect(inputs.get('x')?.data).toEqual(expected);
  });

  test.each<[string, Datatype, string, string]>([
    ['an infinity by overflow', 'FP64', '1e400', 'a finite FP64 number'],
    ['what is infinite in 32 bits', 'FP32', '1e39', 'a finite FP32 number'],
    ['null', 'FP32', 'null', 'a FP32 number'],
    ['text', 'FP32', '"1"', 'a FP32 number'],
    ['a fraction', 'INT32', '1.5', 'a whole number'],
    ['what is too large', 'UINT8', '256', 'from 0 to 255'],
    ['what is negative', 'UINT64', '-1', 'a whole UINT64 number'],
    ['what JSON rounds', 'INT64', '9007199254740993', '2^53'],
    ['two', 'BOOL', '2', 'true or false'],
    ['a number', 'BYTES', '1', 'a string'],
    ['a list within', 'FP32', '[1]', 'a FP32 number'],
  ])('refuses %s with its index', (_, datatype, literal, expected) => {
    const good = datatype === 'BYTES' ? '"a"' : '1';
    const text = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[2],"data":[${good},${literal}]}]}`;

    const error = refusal(() => readTensors(parseRequest(Buffer.from(text)), X(datatype, -1)));

    expect(error.code).toBe('E_INPUT');
    expect(error.details).toMatchObject({
      tensor: 'x',
      index: 1,
      expected: expect.stringContaining(expected),
    });
    expect(error.message).toContain('element 1');
  });

  test.each<[string, object, object]>([
    ['another datatype', x('FP64', [1, 3], [1, 2, 3]), { expected: 'must be FP32', got: 'FP64' }],
    ['FP16', x('FP16', [1, 3], [1, 2, 3]), { expected: expect.stringContaining('no form in JSON') }],
    ['another width', x('FP32', [1, 2], [1, 2]), { expected: 'must have the shape [-1, 3]', got: '[1, 2]' }],
    ['another depth', x('FP32', [3], [1, 2, 3]), { got: '[3]' }],
    ['a negative size', x('FP32', [-1, 3], [1, 2, 3]), { got: '[-1, 3]' }],
    ['a size of a half', x('FP32', [0.5, 3], [1, 2]), { got: '[0.5, 3]' }],
    ['no rows', x('FP32', [0, 3], []), { expected: 'must have at least one element' }],
    [
      'too few elements',
      x('FP32', [2, 3], [1, 2, 3]),
      { expected: expect.stringContaining('needs 6 elements'), got: 3 },
    ],
    ['a huge shape with few elements', x('FP32', [2 ** 30, 3], [1]), { got: 1 }],
    [
      'a ragged nest',
      x(
        'FP32',
        [2, 3],
        [
          [1, 2, 3],
          [4, 5],
        ],
      ),
      { got: 2 },
    ],
    ['a shallow nest', x('FP32', [2, 3], [[1, 2, 3], 4]), { tensor: 'x' }],
    [
      'too many rows',
      x('FP32', [9, 3], Array(27).fill(0)),
      { expected: expect.stringContaining('at most 8 rows') },
    ],
    [
      'binary data',
      x('FP32', [1, 3], [], { parameters: { binary_data_size: 12 } }),
      { got: 'binary_data_size' },
    ],
    ['no data', x('FP32', [1, 3], undefined), { got: 'undefined' }],
  ])('refuses %s', (_, input, details) => {
    const error = refusal(() => read(X('FP32', -1, 3), input));

    expect(error).toMatchObject({ code: 'E_INPUT', details: { tensor: 'x', ...details } });
  });

  test('names the nearest input for one that it does not know', () => {
    const error = refusal(() =>
      read(backend({ features: { datatype: 'FP32', shape: [-1] } }), {
        ...x('FP32', [1], [1]),
        name: 'featuers',
      }),
    );

    expect(error.message).toContain('did you mean "features"?');
    expect(error.details).toMatchObject({ tensor: 'featuers', nearest: 'features' });
  });

  test('refuses a missing input, one that comes twice, and rows that do not match', () => {
    const two = backend({ x: { datatype: 'FP32', shape: [-1] }, z: { datatype: 'FP32', shape: [-1] } });
    const one = x('FP32', [1], [1]);

    expect(refusal(() => read(two, one)).details).toMatchObject({ tensor: 'z', expected: 'is missing' });
    expect(refusal(() => read(two, one, one)).details).toMatchObject({ tensor: 'x', got: 'twice' });
    const other = { ...x('FP32', [2], [1, 2]), name: 'z' };
    expect(refusal(() => read(two, one, other)).details).toMatchObject({
      tensor: 'z',
      expected: 'must have 1 rows, as "x" has',
    });
  });

  test('refuses an output that the model does not have', () => {
    const body = Buffer.from(JSON.stringify({ inputs: [x('FP32', [1], [1])], outputs: [{ name: 'z' }] }));

    expect(refusal(() => readTensors(parseRequest(body), X('FP32', -1))).message).toContain('no output "z"');
  });

  test('is not fooled by the names that every object has', () => {
    const error = refusal(() => read(X('FP32', -1), { ...x('FP32', [1], [1]), name: 'constructor' }));

    expect(error.code).toBe('E_INPUT');
  });
});

describe('parsing a body', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', '{"inputs":'],
    ['no object', '[]'],
    ['no inputs', '{}'],
    ['an empty list of inputs', '{"inputs":[]}'],
    ['an input without a name', '{"inputs":[{"shape":[1],"datatype":"FP32","data":[1]}]}'],
    ['an id that is a number', '{"id":1,"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}'],
  ])('refuses %s', (_, text) => {
    expect(refusal(() => parseRequest(Buffer.from(text)))).toMatchObject({ code: 'E_BODY' });
  });

  test('refuses what is not UTF-8', () => {
    expect(refusal(() => parseRequest(Buffer.from([0x7b, 0xff, 0x7d]))).message).toContain('UTF-8');
  });

  test('answers whatever comes with a code of the caller, never with a fault of ours', () => {
    const to = backend({ x: { datatype: 'FP32', shape: [-1, 2] } });
    const input = fc.record(
      {
        name: fc.constantFrom('x', 'y', '__proto__', 'toString'),
        datatype: fc.constantFrom('FP32', 'FP64', 'BYTES', 'NONE'),
        shape: fc.oneof(fc.array(fc.oneof(fc.integer(), fc.double()), { maxLength: 3 }), fc.constant([1, 2])),
        data: fc.oneof(fc.array(fc.jsonValue()), fc.constant([1, 2]), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );

    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ inputs: fc.array(input) })), json => {
        try {
          readTensors(parseRequest(Buffer.from(JSON.stringify(json))), to);
        } catch (error) {
          expect((error as SwitchbackError).code).toMatch(/^E_(INPUT|BODY)$/);
        }
      }),
    );
  });
});
