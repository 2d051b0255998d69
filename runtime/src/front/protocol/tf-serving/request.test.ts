import type { Backend, Datatype } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SwitchbackError } from '../../../error.ts';
import { backendOf, messageOf, refusal } from './protocol.fixture.ts';
import { decodePredict } from './request.ts';

const X = (datatype: Datatype, ...shape: number[]) => backendOf({ x: { datatype, shape } });

const LOAN = backendOf({
  income: { datatype: 'FP32', shape: [-1, 1] },
  history: { datatype: 'INT32', shape: [-1, 2] },
  purpose: { datatype: 'BYTES', shape: [-1] },
});

function read(body: object | string, to: Backend) {
  return decodePredict(messageOf(typeof body === 'string' ? body : JSON.stringify(body))).read(to);
}

describe('rows', () => {
  test.each<[string, Backend, unknown[], number[], ArrayLike<number>]>([
    ['scalars', X('FP32', -1), [1, 2], [2], Float32Array.of(1, 2)],
    [
      'lists',
      X('INT8', -1, 2),
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [3, 2],
      Int8Array.of(1, 2, 3, 4, 5, 6),
    ],
    ['lists of lists', X('FP64', -1, 1, 2), [[[1, 2]], [[3, 4]]], [2, 1, 2], Float64Array.of(1, 2, 3, 4)],
    ['scalars for a column of one', X('FP32', -1, 1), [1, 2], [2, 1], Float32Array.of(1, 2)],
    ['objects of the only input', X('FP32', -1), [{ x: 1 }, { x: 2 }], [2], Float32Array.of(1, 2)],
    ['truths', X('BOOL', -1), [true, false], [2], Uint8Array.of(1, 0)],
  ])('may be %s', (_, to, instances, shape, data) => {
    const { inputs, rows } = read({ instances }, to);

    expect(rows).toBe(instances.length);
    expect(inputs.get('x')).toMatchObject({ shape, data });
  });

  test('of several inputs are objects, their names in any order', () => {
    const { inputs, rows } = read(
      {
        instances: [
          { income: 1.5, history: [1, 2], purpose: 'car' },
          { purpose: { b64: 'aMO8dHRl' }, history: [3, 4], income: 2.5 },
        ],
      },
      LOAN,
    );

    expect(rows).toBe(2);
    expect([...inputs]).toEqual([
      ['income', { datatype: 'FP32', shape: [2, 1], data: Float32Array.of(1.5, 2.5) }],
      ['history', { datatype: 'INT32', shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) }],
      ['purpose', { datatype: 'BYTES', shape: [2], data: ['car', 'hütte'] }],
    ]);
  });

  test('keep 64-bit integers to the last digit', () => {
    const { inputs } = read('{"instances":[9007199254740993,-1]}', X('INT64', -1));

    expect(inputs.get('x')?.data).toEqual(BigInt64Array.of(9007199254740993n, -1n));
  });

  test('keep large whole floats beside large integers', () => {
    const to = backendOf({ id: { datatype: 'INT64', shape: [-1] }, size: { datatype: 'FP64', shape: [-1] } });

    const { inputs } = read('{"instances":[{"id":9007199254740993,"size":100000000000000000000}]}', to);

    expect(inputs.get('id')?.data).toEqual(BigInt64Array.of(9007199254740993n));
    expect(inputs.get('size')?.data).toEqual(Float64Array.of(1e20));
  });

  test.each<[string, unknown[], string, object]>([
    [
      'a row that is no object',
      [{ income: 1, history: [1, 2], purpose: '' }, 5],
      'instance 1',
      { instance: 1 },
    ],
    ['bare values where there are several inputs', [1], 'several inputs', {}],
    [
      'a row without an input',
      [
        { income: 1, history: [1, 2], purpose: '' },
        { income: 1, purpose: '' },
      ],
      'nothing in instance 1',
      { tensor: 'history' },
    ],
    [
      'a row with one more',
      [
        { income: 1, history: [1, 2], purpose: '' },
        { income: 1, history: [1, 2], purpose: '', age: 1 },
      ],
      'instance 1',
      { tensor: 'age' },
    ],
    [
      'a name that is a little off',
      [{ incom: 1, history: [1, 2], purpose: '' }],
      'did you mean "income"?',
      {},
    ],
    ['a missing input', [{ income: 1, history: [1, 2] }], 'is missing', { tensor: 'purpose' }],
    [
      'rows of several lengths',
      [
        { income: 1, history: [1, 2], purpose: '' },
        { income: 1, history: [1], purpose: '' },
      ],
      'dimension 1',
      {},
    ],
    ['another shape', [{ income: 1, history: [1, 2, 3], purpose: '' }], '[-1, 2]', { tensor: 'history' }],
    [
      'text for a number',
      [{ income: '1', history: [1, 2], purpose: '' }],
      'FP32',
      { tensor: 'income', index: 0 },
    ],
    ['null', [{ income: null, history: [1, 2], purpose: '' }], 'FP32', { tensor: 'income' }],
    [
      'what is no base64',
      [{ income: 1, history: [1, 2], purpose: { b64: '*' } }],
      'base64',
      { tensor: 'purpose' },
    ],
    ['bytes that are no text', [{ income: 1, history: [1, 2], purpose: { b64: '/w==' } }], 'UTF-8', {}],
    ['base64 for a number', [{ income: { b64: 'AA==' }, history: [1, 2], purpose: '' }], 'FP32', {}],
    ['the names that every object has', [{ income: 1, history: [1, 2], constructor: '' }], 'constructor', {}],
  ])('are refused for %s', (_, instances, message, details) => {
    const error = refusal(() => read({ instances }, LOAN));

    expect(error.code).toBe('E_INPUT');
    expect(error.message).toContain(message);
    expect(error.details).toMatchObject(details);
  });

  test('are refused where one is an object and the first is none', () => {
    expect(refusal(() => read({ instances: [1, { x: 1 }] }, X('FP32', -1))).message).toContain('instance 1');
  });

  test('are refused where the outputs have no rows in common', () => {
    const outputs = {
      a: { datatype: 'FP32' as const, shape: [3] },
      b: { datatype: 'FP32' as const, shape: [2] },
    };
    const to = backendOf({ x: { datatype: 'FP32', shape: [2] } }, outputs);

    expect(refusal(() => read({ instances: [1, 2] }, to)).message).toContain('send "inputs"');
    expect(read({ inputs: [1, 2] }, to).inputs.get('x')?.shape).toEqual([2]);
  });
});

describe('columns', () => {
  test.each<[string, Backend, unknown, number[]]>([
    [
      'the only tensor',
      X('FP32', -1, 2),
      [
        [1, 2],
        [3, 4],
      ],
      [2, 2],
    ],
    ['the only tensor by its name', X('FP32', -1, 2), { x: [[1, 2]] }, [1, 2]],
    ['a list for a column of one', X('FP32', -1, 1), [1, 2], [2, 1]],
    ['a scalar', X('FP32'), 5, []],
    ['bytes', X('BYTES'), { b64: 'eA==' }, []],
  ])('may be %s', (_, to, inputs, shape) => {
    expect(read({ inputs }, to).inputs.get('x')?.shape).toEqual(shape);
  });

  test('of several inputs say what rows say', () => {
    const columns = {
      purpose: ['car', 'boat'],
      income: [1.5, 2.5],
      history: [
        [1, 2],
        [3, 4],
      ],
    };
    const rows = [
      { income: 1.5, history: [1, 2], purpose: 'car' },
      { income: 2.5, history: [3, 4], purpose: 'boat' },
    ];

    expect(read({ inputs: columns }, LOAN)).toEqual(read({ instances: rows }, LOAN));
  });

  test.each<[string, unknown, string]>([
    ['one tensor for several inputs', [1], 'several inputs'],
    [
      'another number of rows',
      {
        income: [1],
        history: [
          [1, 2],
          [3, 4],
        ],
        purpose: ['a', 'b'],
      },
      'rows',
    ],
    ['nothing', null, 'several inputs'],
  ])('are refused for %s', (_, inputs, message) => {
    const error = refusal(() => read({ inputs }, LOAN));

    expect(error.code).toBe('E_INPUT');
    expect(error.message).toContain(message);
  });
});

describe('a body', () => {
  test.each(['', 'serving_default'])('may name the signature %j', signature => {
    expect(read({ signature_name: signature, instances: [1] }, X('FP32', -1)).rows).toBe(1);
  });

  test('may hold what is for somebody else', () => {
    expect(read({ instances: [1], trace: 'a' }, X('FP32', -1)).rows).toBe(1);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{"instances":'],
    ['a number that JSON does not know', '{"instances":[NaN]}'],
    ['no object', '[1]'],
    ['neither form', '{}'],
    ['both forms', '{"instances":[1],"inputs":[1]}'],
    ['no rows', '{"instances":[]}'],
    ['rows that are no list', '{"instances":{"x":1}}'],
    ['another signature', '{"signature_name":"train","instances":[1]}'],
    ['a signature that is no name', '{"signature_name":null,"instances":[1]}'],
    ['nesting without end', `{"instances":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('is refused for %s', (_, text) => {
    expect(refusal(() => read(text, X('FP32', -1)))).toMatchObject({ code: 'E_BODY' });
  });

  test('is refused for what is not UTF-8', () => {
    const body = Buffer.from([0x7b, 0xff, 0x7d]);

    expect(refusal(() => decodePredict(messageOf(body))).message).toContain('UTF-8');
  });

  test('whatever it holds is answered with a code of the caller, never with a fault of ours', () => {
    const leaf = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(1, 'a', null, { b64: 'eA==' }, { b64: '*' }, 2 ** 60),
    );
    const row = fc.oneof(
      leaf,
      fc.record(
        { income: leaf, history: fc.oneof(leaf, fc.constant([1, 2])), purpose: leaf },
        { requiredKeys: [] },
      ),
      fc.dictionary(fc.constantFrom('income', '__proto__', 'toString', 'b64'), leaf),
    );
    const value = fc.oneof(fc.array(row), row, fc.array(fc.array(leaf)));
    const body = fc.record(
      { signature_name: fc.constantFrom('', 1), instances: value, inputs: value },
      { requiredKeys: [] },
    );
    const backends = [LOAN, X('FP32', -1, 2), X('BYTES', -1), X('INT64', -1, -1), X('BOOL')];

    fc.assert(
      fc.property(body, fc.constantFrom(...backends), (json, to) => {
        try {
          const { inputs } = read(json, to);
          for (const [name, { shape, data }] of inputs) {
            expect(data).toHaveLength(shape.reduce((count, size) => count * size, 1));
            expect(shape).toHaveLength(to.signature.inputs[name]!.shape.length);
          }
        } catch (error) {
          if (!(error instanceof SwitchbackError)) throw error;
          expect(error.code).toMatch(/^E_(INPUT|BODY)$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
