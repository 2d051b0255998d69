import type { Datatype } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensors } from '../engine/tensor.ts';
import { joinRows, nextBatch, shapeKeyOf, splitRows } from './batch.ts';
import { learnPace, rowsInTime } from './pace.ts';

const waiting = fc.array(
  fc.record({ rows: fc.integer({ min: 1, max: 10 }), shapeKey: fc.constantFrom('a', 'b', null) }),
  { minLength: 1, maxLength: 20 },
);

describe('the next batch', () => {
  test('has the oldest request, only alike ones, at most the limit, and leaves the rest in order', () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 1, max: 20 }), (requests, maxRows) => {
        const { batch, rest } = nextBatch(requests, maxRows);

        expect(batch[0]).toBe(requests[0]);
        expect(new Set(batch.map(({ shapeKey }) => shapeKey)).size).toBe(1);
        if (batch.length > 1) {
          expect(batch[0]!.shapeKey).not.toBeNull();
          expect(batch.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(maxRows);
        }
        expect(rest).toEqual(requests.filter(request => !batch.includes(request)));
        expect(batch).toEqual(requests.filter(request => batch.includes(request)));
      }),
    );
  });

  test('takes every alike request that fits', () => {
    const requests = [4, 4, 4, 1].map(rows => ({ rows, shapeKey: 'a' }));

    expect(nextBatch(requests, 9).batch).toEqual([requests[0], requests[1], requests[3]]);
  });
});

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
});

describe('the pace', () => {
  test('lets a quick model have full batches', () => {
    expect(rowsInTime(learnPace(0, 64, 1), 200, 64)).toBe(64);
  });

  test('keeps rows apart that would miss the time limit together', () => {
    expect(rowsInTime(learnPace(0, 1, 80), 200, 64)).toBe(1);
    expect(rowsInTime(learnPace(0, 2, 40), 200, 64)).toBe(5);
  });

  test('forgets a hiccup in time, and never stops', () => {
    let pace = learnPace(0, 1, 1000);
    expect(rowsInTime(pace, 200, 64)).toBe(1);

    for (let batch = 0; batch < 200; batch++) pace = learnPace(pace, 1, 0.1);

    expect(rowsInTime(pace, 200, 64)).toBe(64);
  });
});
