import type { Datatype, TensorSpec } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backendOf, messageOf } from '../tf-serving/protocol.fixture.ts';
import { decodePredict } from '../tf-serving/request.ts';
import { v2 } from '../v2/index.ts';
import { decodeInvocation } from './request.ts';

const ELEMENTS: Partial<Record<Datatype, fc.Arbitrary<unknown>>> = {
  FP16: fc.float({ noNaN: true, min: -65504, max: 65504 }),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  INT8: fc.integer({ min: -128, max: 127 }),
  UINT32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  INT64: fc.maxSafeInteger(),
  BOOL: fc.boolean(),
  // What CSV can't tell from a missing value, it refuses.
  BYTES: fc.string({ unit: 'grapheme', minLength: 1 }),
};

interface Table {
  inputs: Record<string, TensorSpec>;
  columns: string[];
  rows: unknown[][];
}

const NAMES = ['income', 'years', '__proto__', 'a,b', 'say"it"', 'constructor'];

/** One input a column, of any type, of the two shapes that a column may have. */
const tables: fc.Arbitrary<Table> = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom(...NAMES),
      datatype: fc.constantFrom(...(Object.keys(ELEMENTS) as Datatype[])),
      shape: fc.constantFrom<number[]>([-1], [-1, 1]),
    }),
    { selector: ({ name }) => name, minLength: 1 },
  )
  .chain(specs =>
    fc
      .array(fc.tuple(...specs.map(({ datatype }) => ELEMENTS[datatype]!)), { minLength: 1, maxLength: 5 })
      .map(rows => ({
        inputs: Object.fromEntries(specs.map(({ name, datatype, shape }) => [name, { datatype, shape }])),
        columns: specs.map(({ name }) => name),
        rows,
      })),
  );

const JSON_TYPE = { 'content-type': 'application/json' };

test('every protocol makes the same tensors of the same rows', () => {
  fc.assert(
    fc.property(tables, table => {
      const to = backendOf(table.inputs);
      const records = table.rows.map(row =>
        Object.fromEntries(table.columns.map((name, i) => [name, row[i]])),
      );
      const columns = Object.fromEntries(
        table.columns.map((name, i) => [name, table.rows.map(row => row[i])]),
      );
      const tf = (json: object) => decodePredict(messageOf(JSON.stringify(json))).read(to);
      const mlflow = (json: object) => decodeInvocation(messageOf(JSON.stringify(json), JSON_TYPE)).read(to);

      const expected = v2.decode(messageOf(v2Body(table))).read(to);

      expect(tf({ instances: records })).toEqual(expected);
      expect(tf({ inputs: columns })).toEqual(expected);
      expect(mlflow({ instances: records })).toEqual(expected);
      expect(mlflow({ inputs: columns })).toEqual(expected);
      expect(mlflow({ dataframe_records: records })).toEqual(expected);
      expect(mlflow({ dataframe_split: { columns: table.columns, data: table.rows } })).toEqual(expected);
      expect(decodeInvocation(messageOf(csv(table), { 'content-type': 'text/csv' })).read(to)).toEqual(
        expected,
      );
    }),
  );
});

function v2Body({ inputs, columns, rows }: Table): string {
  return JSON.stringify({
    inputs: columns.map((name, index) => {
      const { datatype, shape } = inputs[name]!;
      const sizes = shape.length === 1 ? [rows.length] : [rows.length, 1];
      return { name, datatype, shape: sizes, data: rows.map(row => row[index]) };
    }),
  });
}

function csv({ columns, rows }: Table): string {
  return [columns, ...rows].map(row => row.map(quoted).join()).join('\r\n');
}

function quoted(cell: unknown): string {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
