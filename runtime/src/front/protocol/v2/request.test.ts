import type { Backend, Datatype } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { decode, refusal, takes, takesX, x } from './v2.fixture.ts';

function read(to: Backend, ...inputs: object[]) {
  return decode({ inputs }).read(to);
}

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
    const { inputs, rows } = read(takesX('FP32', -1, 3), x('FP32', [2, 3], data));

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
    ['UINT64', [0, 1], BigUint64Array.of(0n, 1n)],
    ['INT16', [-(2 ** 15), 2 ** 15 - 1], Int16Array.of(-(2 ** 15), 2 ** 15 - 1)],
    ['UINT16', [0, 2 ** 16 - 1], Uint16Array.of(0, 2 ** 16 - 1)],
    ['INT32', [-(2 ** 31), 2 ** 31 - 1], Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ['UINT32', [0, 2 ** 32 - 1], Uint32Array.of(0, 2 ** 32 - 1)],
    ['FP32', [3.4028234663852886e38, 1e-45], Float32Array.of(3.4028234663852886e38, 1e-45)],
    ['FP16', [65504, 2 ** -24, 0.1, 65519.99], Float16Array.of(65504, 2 ** -24, 0.1, 65504)],
    ['UINT8', [0, 255], Uint8Array.of(0, 255)],
    ['INT8', [-128, 127], Int8Array.of(-128, 127)],
    ['FP64', [1e300, -0.1], Float64Array.of(1e300, -0.1)],
    ['BYTES', ['a', 'ü'], ['a', 'ü']],
  ])('takes %s at its edges', (datatype, data, expected) => {
    const { inputs } = read(takesX(datatype, -1), x(datatype, [data.length], data));

    expect(inputs.get('x')?.data).toEqual(expected);
  });

  test.each<[string, Datatype, string, string]>([
    ['an infinity by overflow', 'FP64', '1e400', 'a finite FP64 number'],
    ['what is infinite in 32 bits', 'FP32', '1e39', 'a finite FP32 number'],
    ['what is infinite in 16 bits', 'FP16', '65520', 'a finite FP16 number, from -65504 to 65504'],
    ['null where a half should be', 'FP16', 'null', 'a FP16 number'],
    ['null', 'FP32', 'null', 'a FP32 number'],
    ['text', 'FP32', '"1"', 'a FP32 number'],
    ['a fraction', 'INT32', '1.5', 'a whole number'],
    ['what is too large', 'UINT8', '256', 'from 0 to 255'],
    ['what is negative', 'UINT64', '-1', 'a whole UINT64 number'],
    ['what is too large for 64 bits', 'INT64', '9223372036854775808', 'a whole INT64 number'],
    ['what is too small for 64 bits', 'INT64', '-9223372036854775809', 'a whole INT64 number'],
    ['a large power', 'INT64', '1e19', 'without fraction or exponent'],
    ['a list where an integer should be', 'INT64', '[1]', 'a whole INT64 number'],
    ['half a surrogate pair', 'BYTES', '"\\ud800"', 'whole characters'],
    ['null where a flag should be', 'BOOL', 'null', 'true or false'],
    ['two', 'BOOL', '2', 'true or false'],
    ['a number', 'BYTES', '1', 'a string'],
    ['a list within', 'FP32', '[1]', 'a FP32 number'],
  ])('refuses %s with its index', (_, datatype, literal, expected) => {
    const good = datatype === 'BYTES' ? '"a"' : '1';
    const text = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[2],"data":[${good},${literal}]}]}`;

    const error = refusal(() => decode(text).read(takesX(datatype, -1)));

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
    ['FP16', x('FP16', [1, 3], [1, 2, 3]), { expected: 'must be FP32', got: 'FP16' }],
    ['BF16', x('BF16', [1, 3], [1, 2, 3]), { expected: 'must be FP32', got: 'BF16' }],
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
      'data twice, as JSON and as binary',
      x('FP32', [1, 3], [], { parameters: { binary_data_size: 12 } }),
      { got: 'both' },
    ],
    [
      'binary data without the header that says where it begins',
      x('FP32', [1, 3], undefined, { parameters: { binary_data_size: 12 } }),
      { expected: expect.stringContaining('inference-header-content-length') },
    ],
    ['no data', x('FP32', [1, 3], undefined), { got: 'undefined' }],
  ])('refuses %s', (_, input, details) => {
    const error = refusal(() => read(takesX('FP32', -1, 3), input));

    expect(error).toMatchObject({ code: 'E_INPUT', details: { tensor: 'x', ...details } });
  });

  test('names the nearest input for one that it does not know', () => {
    const error = refusal(() =>
      read(takes({ features: { datatype: 'FP32', shape: [-1] } }), {
        ...x('FP32', [1], [1]),
        name: 'featuers',
      }),
    );

    expect(error.message).toContain('did you mean "features"?');
    expect(error.details).toMatchObject({ tensor: 'featuers', nearest: 'features' });
  });

  test('refuses a missing input, one that comes twice, and rows that do not match', () => {
    const two = takes({ x: { datatype: 'FP32', shape: [-1] }, z: { datatype: 'FP32', shape: [-1] } });
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

    expect(refusal(() => decode(body).read(takesX('FP32', -1))).message).toContain('no output "z"');
  });

  test('takes integers of 64 bits to the last digit, also from a body that is unusual', () => {
    const longs = '9223372036854775807,-9223372036854775808,9007199254740993';
    const usual = `{"inputs":[{"name":"x","datatype":"INT64","shape":[3],"data":[${longs}]}]}`;
    const unusual = `{"inputs":[{"name":"x","datatype":"INT64","shape":[3],"note":{},"data":[${longs}]}]}`;

    const expected = BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n);
    for (const text of [usual, unusual])
      expect(decode(text).read(takesX('INT64', -1)).inputs.get('x')?.data).toEqual(expected);
    expect(
      decode(unusual.replace('INT64', 'UINT64').replace('-', '')).read(takesX('UINT64', -1)).inputs.get('x')
        ?.data,
    ).toEqual(BigUint64Array.of(2n ** 63n - 1n, 2n ** 63n, 2n ** 53n + 1n));
  });

  test('keeps the sign of a zero', () => {
    const { inputs } = decode(
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[-0,-0.0]}]}',
    ).read(takesX('FP32', -1));

    expect(inputs.get('x')?.data).toEqual(Float32Array.of(-0, -0));
  });

  test('takes inputs in any order, and hands them on in that of the model', () => {
    const two = takes({ x: { datatype: 'FP32', shape: [-1] }, z: { datatype: 'FP32', shape: [-1] } });
    const one = x('FP32', [1], [1]);

    const { inputs } = read(two, { ...one, name: 'z' }, one);

    expect([...inputs.keys()]).toEqual(['x', 'z']);
  });

  test('takes at most as many rows as may wait, whatever one batch may hold', () => {
    const { signature, limits, ...rest } = takesX('FP32', -1);
    const { queueRows: _, ...without } = limits;
    const backend = { ...rest, signature, limits: { ...without, maxBatch: 1 } };

    expect(read(backend, x('FP32', [1024], Array(1024).fill(1))).rows).toBe(1024);
    expect(refusal(() => read(backend, x('FP32', [1025], Array(1025).fill(1)))).message).toContain(
      'at most 1024 rows in one request, as many as may wait for the model (limits.queue)',
    );
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
    expect(refusal(() => decode(text))).toMatchObject({ code: 'E_BODY' });
  });

  test.each<[string, object | string]>([
    ['that are no object', { parameters: [] }],
    ['that nest', { parameters: { a: {} } }],
    ['that are null', { parameters: { a: null } }],
    ['that are reserved', { parameters: { triton_enable_empty_final_response: true } }],
    ['of sequences', { parameters: { sequence_id: 1 } }],
    ['with a timeout in words', { parameters: { timeout: '5s' } }],
    ['with a timeout of a fraction', { parameters: { timeout: 0.5 } }],
    ['with a priority below 0', { parameters: { priority: -1 } }],
    ['with a flag that is a number', { parameters: { binary_data_output: 1 } }],
    ['that nest in an input', { inputs: [x('FP32', [1], [1], { parameters: { a: [] } })] }],
    ['of shared memory', { inputs: [x('FP32', [1], [1], { parameters: { shared_memory_region: 'a' } })] }],
    ['that nest in an output', { outputs: [{ name: 'y', parameters: { a: {} } }] }],
    ['that classify by a fraction', { outputs: [{ name: 'y', parameters: { classification: 0.5 } }] }],
    ['that ask for binary by a word', { outputs: [{ name: 'y', parameters: { binary_data: 'yes' } }] }],
  ])('refuses parameters %s', (_, more) => {
    const error = refusal(() => decode({ inputs: [x('FP32', [1], [1])], ...(more as object) }));

    expect(error.code).toBe('E_BODY');
    expect(error.message).toMatch(/parameters/);
  });

  test('ignores parameters and keys that it does not know', () => {
    const body = {
      extra: { a: [] },
      parameters: { a: 'b', c: 1.5, d: true },
      inputs: [x('FP32', [1], [1], { parameters: { e: 'f' }, more: 1 })],
    };

    expect(decode(body).read(takesX('FP32', -1)).rows).toBe(1);
  });

  test.each<[string, object, number | null, number]>([
    ['a timeout in microseconds', { timeout: 1500 }, 1.5, 0],
    ['no timeout for 0', { timeout: 0 }, null, 0],
    ['a priority', { priority: 3 }, null, 3],
    ['both beside what is unknown', { priority: 1, timeout: 1000, other: 'a' }, 1, 1],
  ])('takes %s', (_, parameters, timeoutMs, priority) => {
    expect(decode({ parameters, inputs: [x('FP32', [1], [1])] })).toMatchObject({ timeoutMs, priority });
  });

  test('takes an empty list of outputs for none, which is all', () => {
    expect(decode({ inputs: [x('FP32', [1], [1])], outputs: [] })).toMatchObject({ outputs: null });
  });

  test('refuses an output that is asked for twice', () => {
    const body = { inputs: [x('FP32', [1], [1])], outputs: [{ name: 'y' }, { name: 'y' }] };

    expect(refusal(() => decode(body))).toMatchObject({ code: 'E_BODY' });
  });
});
