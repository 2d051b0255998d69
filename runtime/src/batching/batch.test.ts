import type { Datatype } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensors } from '../engine/tensor.ts';
import { joinRows, splitRows } from './batch.ts';
import { Shapes, shapeKeyOf } from './shapes.ts';

const DATA: Record<
  string,
  (values: number[]) => Tensors extends ReadonlyMap<string, infer T> ? T['data' & keyof T] : never
> = {
  FP32: values => Float32Array.from(values),
  INT64: values => BigInt64Array.from(values, BigInt),
  BOOL: values => Uint8Array.from(values, value => value % 2),
  BYTES: values => values.map(String),
};

describe('joined rows', () => {
  test('may be more strings than a call takes arguments', () => {
    const part = (): Tensors =>
      new Map([['x', { datatype: 'BYTES', shape: [200_000, 1], data: Array(200_000).fill('a') }]]);

    expect(joinRows([part(), part()]).get('x')!.data).toHaveLength(400_000);
  });

  test('split again into what they were, for every kind of tensor', () => {
    const part = fc.record({ rows: fc.integer({ min: 1, max: 5 }), seed: fc.integer({ min: 0, max: 1000 }) });

    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('FP32', 'INT64', 'BOOL', 'BYTES'),
        fc.integer({ min: 1, max: 3 }),
        (parts, datatype, width) => {
          const all: Tensors[] = parts.map(({ rows, seed }) => {
            const values = Array.from({ length: rows * width }, (_, i) => seed + i);
            const data = DATA[datatype]!(values);
            return new Map([['x', { datatype: datatype as Datatype, shape: [rows, width], data }]]);
          });

          const back = splitRows(
            joinRows(all),
            parts.map(({ rows }) => rows),
          );

          expect(back).toEqual(all);
        },
      ),
    );
  });

  test('do not split when an output lacks a row for each that went in', () => {
    const mean: Tensors = new Map([['mean', { datatype: 'FP32', shape: [1], data: Float32Array.of(1) }]]);

    expect(splitRows(mean, [1, 2])).toBeNull();
    expect(splitRows(mean, [3])).toEqual([mean]);
  });

  test('are only those of the same tensors, types and widths', () => {
    const tensor = (datatype: Datatype, shape: number[]): Tensors =>
      new Map([['x', { datatype, shape, data: new Float32Array(6) }]]);

    expect(shapeKeyOf(tensor('FP32', [2, 3]))).toBe(shapeKeyOf(tensor('FP32', [9, 3])));
    expect(shapeKeyOf(tensor('FP32', [2, 3]))).not.toBe(shapeKeyOf(tensor('FP32', [3, 2])));
    expect(shapeKeyOf(tensor('FP32', [2, 3]))).not.toBe(shapeKeyOf(tensor('FP64', [2, 3])));
  });

  test('have the same key whatever came before them', () => {
    const shape = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });
    const inputs = fc
      .array(
        fc.record({ name: fc.constantFrom('x', 'y'), datatype: fc.constantFrom('FP32', 'INT64'), shape }),
        {
          minLength: 1,
          maxLength: 2,
        },
      )
      .map(tensors => new Map(tensors.map(({ name, ...rest }) => [name, { ...rest, data: [] }])) as Tensors);

    fc.assert(
      fc.property(fc.array(inputs, { maxLength: 8 }), requests => {
        const shapes = new Shapes();

        for (const request of requests) {
          const names = [...request.keys()].toSorted();
          const sorted = new Map(names.map(name => [name, request.get(name)!]));
          expect(shapes.keyOf(sorted)).toBe(shapeKeyOf(sorted));
        }
      }),
    );
  });
});
