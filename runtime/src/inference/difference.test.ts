import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor, Tensors } from '../engine/tensor.ts';
import { largestDifference } from './difference.ts';

const column = (datatype: Tensor['datatype'], data: Tensor['data']): Tensors =>
  new Map([['y', { datatype, shape: [data.length, 1], data }]]);
const doubles = (...values: number[]): Tensors => column('FP64', Float64Array.from(values));
const halves = (...values: number[]): Tensors => column('FP16', Float16Array.from(values));
const longs = (...values: bigint[]): Tensors => column('INT64', BigInt64Array.from(values));
const texts = (...values: string[]): Tensors => column('BYTES', values);
const shaped = (...shape: number[]): Tensors =>
  new Map([['y', { datatype: 'FP32', shape, data: new Float32Array(4) }]]);

const { NaN: nan, POSITIVE_INFINITY: infinite, MAX_VALUE, MIN_VALUE } = Number;

describe('the largest difference', () => {
  test.each<[string, Tensors, Tensors, number | null]>([
    ['two NaNs', doubles(nan, 1), doubles(nan, 1), 0],
    ['a NaN and a number', doubles(nan), doubles(1), 1],
    ['a number and a NaN', doubles(0), doubles(nan), 1],
    ['equal infinities', doubles(infinite, -infinite), doubles(infinite, -infinite), 0],
    ['infinities of two signs', doubles(infinite), doubles(-infinite), 1],
    ['an infinity and a number', doubles(MAX_VALUE), doubles(infinite), 1],
    ['0 and -0', doubles(0, -0), doubles(-0, 0), 0],
    ['0 and the least there is', doubles(0), doubles(MIN_VALUE), 1],
    ['two signs', doubles(1, 1), doubles(1, -0.001), 1],
    ['the ends of all numbers', doubles(MAX_VALUE), doubles(-MAX_VALUE), 1],
    ['one percent', doubles(5, 100), doubles(5, 99), 0.01],
    ['halves', halves(1, 2), halves(1, 2.001953125), 0.001953125 / 2.001953125],
    ['halves, and the same as doubles', halves(0.5, nan), doubles(0.5, nan), 0],
    ['neighbours beyond what a float tells apart', longs(2n ** 62n), longs(2n ** 62n + 1n), 2 ** -62],
    ['0 of two datatypes', longs(0n, 3n), doubles(-0, 3), 0],
    ['equal texts', texts('a', 'NaN'), texts('a', 'NaN'), 0],
    ['texts', texts('a', 'b'), texts('a', 'c'), 1],
    ['no elements', doubles(), doubles(), 0],
    ['no tensors', new Map(), new Map(), 0],
    ['texts and numbers', texts('1'), doubles(1), null],
    ['another rank', shaped(4), shaped(4, 1), null],
    ['other dimensions of as many elements', shaped(2, 2), shaped(4, 1), null],
    ['another number of rows', doubles(1), doubles(1, 1), null],
    ['another name', doubles(1), new Map([['z', doubles(1).get('y')!]]), null],
    ['one tensor more', doubles(1), new Map([...doubles(1), ['z', doubles(1).get('y')!]]), null],
  ])('of %s', (_, one, other, difference) => {
    expect(largestDifference(one, other)).toBe(difference);
    expect(largestDifference(other, one)).toBe(difference);
  });
});

const row = { size: 'small', minLength: 1, maxLength: 6 } as const;
const answer = fc.oneof(
  fc.array(fc.double(), row).map(values => doubles(...values)),
  fc.array(fc.double(), row).map(values => column('FP32', Float32Array.from(values))),
  fc.array(fc.double({ min: -70_000, max: 70_000 }), row).map(values => halves(...values)),
  fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), row).map(values => longs(...values)),
  fc.array(fc.string(), row).map(values => texts(...values)),
);
const dataOf = (tensors: Tensors): readonly (number | bigint | string)[] => [...tensors.get('y')!.data];
const isOne = (a: unknown, b: unknown): boolean => a === b || Object.is(a, b) || Number(a) === Number(b);

test('lies between 0 and 1, is the same both ways, and is 0 for what is the same and nothing else', () => {
  fc.assert(
    fc.property(answer, answer, (one, other) => {
      const difference = largestDifference(one, other);

      expect(largestDifference(other, one)).toBe(difference);
      expect(largestDifference(one, one)).toBe(0);
      if (difference === null) return;
      expect(difference).toBeGreaterThanOrEqual(0);
      expect(difference).toBeLessThanOrEqual(1);
      const [ours, theirs] = [dataOf(one), dataOf(other)];
      const areBigInts = typeof ours[0] === 'bigint' && typeof theirs[0] === 'bigint';
      const areTexts = typeof ours[0] === 'string';
      const isSame = ours.every((value, index) =>
        areBigInts || areTexts ? value === theirs[index] : isOne(value, theirs[index]),
      );
      expect(difference === 0).toBe(isSame);
    }),
  );
});

test('is as large as the one element that was moved', () => {
  const values = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(values, fc.nat(), fc.double({ min: 1e-9, max: 0.999, noNaN: true }), (all, at, share) => {
      const moved = [...all];
      const index = at % all.length;
      moved[index] = all[index]! * (1 - share);

      expect(largestDifference(doubles(...all), doubles(...moved))).toBeCloseTo(share, 6);
    }),
  );
});
