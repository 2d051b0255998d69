import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DATATYPES, fromBinary, rangeOf, toBinary } from './datatypes.ts';

const elements: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  BOOL: fc.boolean(),
  BYTES: fc.string({ unit: 'grapheme' }),
  FP64: fc.double({ noNaN: true }),
  FP32: fc.float({ noNaN: true }),
  FP16: floatsOf({ exponentBits: 5, fractionBits: 10 }),
  BF16: floatsOf({ exponentBits: 8, fractionBits: 7 }),
};

/** All that are numbers, by the definition of IEEE 754. */
function floatsOf({ exponentBits, fractionBits }: Record<string, number>): fc.Arbitrary<number> {
  const [most, bias, ones] = [2 ** exponentBits! - 1, 2 ** (exponentBits! - 1) - 1, 2 ** fractionBits!];
  return fc
    .tuple(fc.constantFrom(1, -1), fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: ones - 1 }))
    .map(([sign, exponent, fraction]) => {
      if (exponent === most) return sign * Number.POSITIVE_INFINITY;
      if (exponent === 0) return sign * (fraction / ones) * 2 ** (1 - bias);
      return sign * (1 + fraction / ones) * 2 ** (exponent - bias);
    });
}

/** Those of 64 bits as far as a double is exact. */
function elementOf(datatype: string): fc.Arbitrary<unknown> {
  const range = rangeOf(datatype);
  if (range === null) return elements[datatype]!;
  const [low, high] = [Number(range.low), Number(range.high)];
  return fc.integer({
    min: Math.max(low, Number.MIN_SAFE_INTEGER),
    max: Math.min(high, Number.MAX_SAFE_INTEGER),
  });
}

describe.each(Object.keys(DATATYPES))('%s', datatype => {
  test('comes back from binary as it went', () => {
    fc.assert(
      fc.property(fc.array(elementOf(datatype), { maxLength: 8 }), data => {
        const shape = [data.length];
        const bytes = toBinary({ name: 'x', datatype, shape, data });

        expect(fromBinary(datatype, shape, bytes)).toEqual(data);
      }),
      { numRuns: 50 },
    );
  });

  test('is not read from bytes that do not fit the shape', () => {
    const bytes = toBinary({
      name: 'x',
      datatype,
      shape: [2],
      data: datatype === 'BYTES' ? ['a', 'b'] : [1, 1],
    });

    expect(fromBinary(datatype, [3], bytes)).toBeNull();
    expect(fromBinary(datatype, [2], bytes.subarray(1))).toBeNull();
  });
});

test('the bytes are little-endian, and texts have their length before them', () => {
  const bytesOf = (datatype: string, data: unknown[]): number[] => [
    ...toBinary({ name: 'x', datatype, shape: [data.length], data }),
  ];

  expect(bytesOf('UINT16', [258])).toEqual([2, 1]);
  expect(bytesOf('FP32', [1])).toEqual([0, 0, 128, 63]);
  expect(bytesOf('FP16', [1])).toEqual([0, 60]);
  expect(bytesOf('FP16', [-1.25])).toEqual([0, 0xbd]);
  expect(bytesOf('BYTES', ['ab'])).toEqual([2, 0, 0, 0, 97, 98]);
});

test('a number that the datatype does not hold goes as the nearest that it does, of two the even one', () => {
  const through = (datatype: string, data: number[]): unknown[] | null => {
    const shape = [data.length];
    return fromBinary(datatype, shape, toBinary({ name: 'x', datatype, shape, data }));
  };

  expect(through('FP16', [0.1, 1e-9, 65_519, 1e6])).toEqual([0.0999755859375, 0, 65_504, Infinity]);
  expect(through('BF16', [0.1, 1 + 2 ** -8, 1 + 3 * 2 ** -8])).toEqual([0.10009765625, 1, 1 + 2 ** -6]);
  expect(through('FP16', [Number.NaN])).toEqual([Number.NaN]);
  expect(through('BF16', [Number.NaN])).toEqual([Number.NaN]);
});
