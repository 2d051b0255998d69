import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SwitchbackError } from '../../../error.ts';
import { backendOf, messageOf, refusal } from '../tf-serving/protocol.fixture.ts';
import { COLUMNS, IRIS, LOAN, LOAN_TENSORS, ROWS, read, readCsv, X } from './invocation.fixture.ts';
import { decodeInvocation } from './request.ts';

describe('a table with a column for each input', () => {
  const records = ROWS.map(row => Object.fromEntries(COLUMNS.map((name, index) => [name, row[index]])));
  const inputs = Object.fromEntries(COLUMNS.map((name, index) => [name, ROWS.map(row => row[index])]));

  test.each<[string, object]>([
    ['split', { dataframe_split: { columns: COLUMNS, data: ROWS } }],
    ['split with an index', { dataframe_split: { index: [7, 8], columns: COLUMNS, data: ROWS } }],
    ['records', { dataframe_records: records }],
    [
      'records, each in its own order',
      { dataframe_records: [records[0], Object.fromEntries(Object.entries(records[1]!).reverse())] },
    ],
    ['instances', { instances: records }],
    ['inputs', { inputs }],
    ['inputs that are rows', { inputs: records }],
  ])('is read by name from %s', (_, json) => {
    expect([...read(json, LOAN).inputs]).toEqual(LOAN_TENSORS);
  });

  test('may have lists for cells', () => {
    const to = backendOf({ x: { datatype: 'FP32', shape: [-1, 2] }, n: { datatype: 'INT8', shape: [-1] } });

    const { inputs } = read(
      {
        dataframe_split: {
          columns: ['n', 'x'],
          data: [
            [1, [1, 2]],
            [2, [3, 4]],
          ],
        },
      },
      to,
    );

    expect(inputs.get('x')).toEqual({ datatype: 'FP32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
  });

  test('keeps 64-bit integers to the last digit', () => {
    const to = X('INT64', -1);
    const exact = BigInt64Array.of(9007199254740993n, 1n);

    expect(
      read('{"dataframe_split":{"columns":["x"],"data":[[9007199254740993],[1]]}}', to).inputs.get('x')?.data,
    ).toEqual(exact);
    expect(read('{"dataframe_records":[{"x":9007199254740993},{"x":1}]}', to).inputs.get('x')?.data).toEqual(
      exact,
    );
  });

  test.each<[string, unknown[][], string[], string, object]>([
    [
      'a missing value',
      [
        [1, 'a'],
        [null, 'b'],
      ],
      ['income', 'purpose'],
      'Row 1, column "income"',
      { row: 1, column: 'income', got: 'null' },
    ],
    [
      'text for a number',
      [['1', 'a']],
      ['income', 'purpose'],
      'Row 0, column "income"',
      { tensor: 'income', got: '"1"' },
    ],
    [
      'a number for text',
      [
        [1, 'a'],
        [1, 2],
      ],
      ['income', 'purpose'],
      'Row 1, column "purpose"',
      { expected: 'a string' },
    ],
  ])('is refused for %s, with row and column', (_, data, columns, message, details) => {
    const to = backendOf({
      income: { datatype: 'FP32', shape: [-1, 1] },
      purpose: { datatype: 'BYTES', shape: [-1] },
    });

    const error = refusal(() => read({ dataframe_split: { columns, data } }, to));

    expect(error.code).toBe('E_INPUT');
    expect(error.message).toContain(message);
    expect(error.details).toMatchObject(details);
  });

  test('may be called by numbers, however large', () => {
    const to = X('INT64', -1, 2);
    const text = '{"dataframe_split":{"columns":[9007199254740993,1],"data":[[9007199254740993,1]]}}';

    expect(read(text, to).inputs.get('x')?.data).toEqual(BigInt64Array.of(9007199254740993n, 1n));
  });

  test('is refused with the nearest name for a column that no input has', () => {
    const error = refusal(() =>
      read(
        { dataframe_records: [{ incom: 1 }] },
        backendOf({ income: { datatype: 'FP32', shape: [-1, 1] } }),
      ),
    );

    expect(error.details).toMatchObject({ tensor: 'incom', nearest: 'income' });
  });

  test('is refused where a column is missing', () => {
    expect(refusal(() => read({ dataframe_records: [{ income: 1 }] }, LOAN)).message).toContain('is missing');
  });
});

describe('a table for one input of several columns', () => {
  const expected = { datatype: 'FP32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };

  test.each<[string, object]>([
    [
      'split',
      {
        dataframe_split: {
          columns: ['b', 'a'],
          data: [
            [1, 2],
            [3, 4],
          ],
        },
      },
    ],
    [
      'split without names',
      {
        dataframe_split: {
          data: [
            [1, 2],
            [3, 4],
          ],
        },
      },
    ],
    [
      'records',
      {
        dataframe_records: [
          { b: 1, a: 2 },
          { a: 4, b: 3 },
        ],
      },
    ],
    [
      'numbered records',
      {
        dataframe_records: [
          { 0: 1, 1: 2 },
          { 0: 3, 1: 4 },
        ],
      },
    ],
    ['a column of lists under its name', { dataframe_records: [{ x: [1, 2] }, { x: [3, 4] }] }],
    [
      'instances',
      {
        instances: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    [
      'inputs',
      {
        inputs: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
  ])('has its columns side by side, as they come in %s', (_, json) => {
    expect(read(json, IRIS).inputs.get('x')).toEqual(expected);
  });

  test('has its columns side by side also where one of them is called as the input is', () => {
    const json = {
      dataframe_split: {
        columns: ['x', 'a'],
        data: [
          [1, 2],
          [3, 4],
        ],
      },
    };

    expect(read(json, IRIS).inputs.get('x')).toEqual(expected);
  });

  test.each<[string, object, string]>([
    [
      'another number of columns',
      { dataframe_split: { columns: ['a', 'b', 'c'], data: [[1, 2, 3]] } },
      'takes 2 columns',
    ],
    [
      'a missing value',
      {
        dataframe_split: {
          columns: ['a', 'b'],
          data: [
            [1, 2],
            [3, null],
          ],
        },
      },
      'Row 1, column "b"',
    ],
    ['a record that leaves one out', { dataframe_records: [{ a: 1, b: 2 }, { a: 1 }] }, 'Row 1, column "b"'],
  ])('is refused for %s', (_, json, message) => {
    const error = refusal(() => read(json, IRIS));

    expect(error.code).toBe('E_INPUT');
    expect(error.message).toContain(message);
  });
});

describe('a body', () => {
  test.each<[string, unknown, string]>([
    ['no form', {}, 'exactly one of'],
    ['two forms', { inputs: [1], instances: [1] }, 'exactly one of'],
    ['what language models take', { messages: [] }, 'exactly one of'],
    ['a list', [1], 'JSON object'],
    ['no JSON', '{', 'not JSON'],
    [
      'a missing value as Python writes it',
      '{"dataframe_split": {"columns": ["NaN\\" NaN"], "data": [[1, NaN]]}}',
      'not JSON: it has NaN at character 60, and values that are missing',
    ],
    ['an infinite one', '{"inputs": [-Infinity]}', 'it has -Infinity at character 12'],
    ['parameters', { inputs: [1], params: { temperature: 1 } }, 'temperature'],
    ['parameters that are none', { inputs: [1], params: [] }, '"params"'],
    ['split that is a list', { dataframe_split: [[1]] }, '"dataframe_split"'],
    ['split without rows', { dataframe_split: { columns: ['x'], data: [] } }, '"data"'],
    ['split with rows of no cells', { dataframe_split: { data: [[]] } }, '"columns"'],
    [
      'split with one name for several columns',
      { dataframe_split: { columns: ['x'], data: [[1, 2]] } },
      'row 0 has 2 cells',
    ],
    ['split with a name twice', { dataframe_split: { columns: ['x', 'x'], data: [[1, 2]] } }, 'twice'],
    ['records that are no list', { dataframe_records: { x: [1] } }, '"dataframe_records"'],
    ['records that are no objects', { dataframe_records: [[1]] }, '"dataframe_records"'],
    ['records with a column more', { dataframe_records: [{ x: 1 }, { x: 1, y: 1 }] }, '"y"'],
    ['records whose order is lost', { dataframe_records: [{ 1: 1, 0: 1, x: 1 }] }, 'dataframe_split'],
    ['instances that are no list', { instances: 1 }, '"instances"'],
  ])('is refused for %s', (_, json, message) => {
    const error = refusal(() => read(json, IRIS));

    expect(error.code).toBe('E_BODY');
    expect(error.message).toContain(message);
  });

  test('may say that it has no parameters, and hold what is for somebody else', () => {
    for (const params of [null, {}])
      expect(read({ inputs: [[1, 2]], params, client_request_id: 'a' }, IRIS).rows).toBe(1);
  });

  test('whatever it holds is answered with a code of the caller, never with a fault of ours', () => {
    const cell = fc.oneof(fc.jsonValue(), fc.constantFrom(1, 0.5, 'a', null, true, [1, 2], 2 ** 60));
    const name = fc.constantFrom(
      'x',
      'income',
      'years',
      'purpose',
      'married',
      '0',
      '1',
      '__proto__',
      'toString',
    );
    const row = fc.oneof(fc.array(cell, { maxLength: 5 }), fc.dictionary(name, cell), cell);
    const split = fc.record(
      { columns: fc.array(fc.oneof(name, cell), { maxLength: 5 }), data: fc.array(row, { maxLength: 3 }) },
      { requiredKeys: [] },
    );
    const json = fc.oneof(
      fc.record({ dataframe_split: split }),
      fc.record({ dataframe_records: fc.array(row, { maxLength: 3 }) }),
      fc.record({ instances: fc.array(row, { maxLength: 3 }) }),
      fc.record({ inputs: fc.oneof(row, fc.array(row)) }),
    );
    const csv = fc
      .array(
        fc.array(fc.constantFrom('x', 'income', '1', '', '"', '"a"', '\r', '1e9', 'NaN'), { maxLength: 4 }),
        { maxLength: 4 },
      )
      .map(lines => lines.map(line => line.join()).join('\n'));

    fc.assert(
      fc.property(
        fc.oneof(json, csv),
        fc.constantFrom(LOAN, IRIS, X('BYTES', -1), X('INT64', -1, -1)),
        (body, to) => {
          try {
            const { inputs } = typeof body === 'string' ? readCsv(body, to) : read(body, to);
            expect([...inputs.keys()]).toEqual(Object.keys(to.signature.inputs));
          } catch (error) {
            if (!(error instanceof SwitchbackError)) throw error;
            expect(error.code).toMatch(/^E_(INPUT|BODY)$/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('an answer of one output is its tensor, of several an object of them', () => {
  const request = decodeInvocation(messageOf('{"inputs":[[1,2]]}', { 'content-type': 'application/json' }));
  const y = { datatype: 'FP32' as const, shape: [2, 1], data: Float32Array.of(1, Number.NaN) };
  const raw = { datatype: 'BYTES' as const, shape: [2], data: ['a', 'b'] };
  const answer = { model: 'm', backend: IRIS, nonFinite: ['y'] };

  const one = request.print({ ...answer, outputs: new Map([['y', y]]) });
  const two = request.print({
    ...answer,
    outputs: new Map<string, typeof y | typeof raw>([
      ['y', y],
      ['raw_bytes', raw],
    ]),
  });

  expect(one.body).toBe('{"predictions":[[1.0],[null]]}');
  expect(one.headers).toContain('x-switchback-non-finite');
  expect(two.body).toBe('{"predictions":{"y":[[1.0],[null]],"raw_bytes":["a","b"]}}');
});
