import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanData } from './scan-data.ts';
import { JsonScanner } from './scanner.ts';

const over = (text: string): JsonScanner => new JsonScanner(Buffer.from(text), 0, Buffer.byteLength(text));
const floats = (text: string, count: number): ArrayLike<unknown> | null =>
  scanData(over(text), 'FP64', [count]);

/** Numbers as people and programs write them, and as they should never. */
const decimal = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.nat({ max: 25 })).map(([digits, places]) => {
    const text = String(digits).padStart(places + 1, '0');
    return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
  }),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 19n }), fc.integer({ min: -345, max: 310 }))
    .map(([digits, power]) => `${digits}e${power}`),
);

describe('a number', () => {
  test('is rounded as JSON.parse rounds it, one by one and in lists, in 64, 32 and 16 bits', () => {
    fc.assert(
      fc.property(decimal, text => {
        const expected = JSON.parse(text) as number;
        const single = scanData(over(`[${text}]`), 'FP32', [1]);
        const half = scanData(over(`[${text}]`), 'FP16', [1]);

        expect(over(text).number()).toBe(Number.isFinite(expected) ? expected : Number.NaN);
        expect(floats(`[-${text.replace(/^-/, '')}]`, 1)).toEqual(
          Number.isFinite(expected) ? Float64Array.of(-Math.abs(expected)) : null,
        );
        if (single === null) expect(Math.abs(expected)).toBeGreaterThan(3.4028234663852886e38);
        else expect(single).toEqual(Float32Array.of(expected));
        if (half === null) expect(Math.abs(expected)).toBeGreaterThan(65_504);
        else expect(half).toEqual(Float16Array.of(expected));
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    '',
    '-',
    '+1',
    '.5',
    '1.',
    '01',
    '-01',
    '1e',
    '1e+',
    'NaN',
    'Infinity',
    '0x10',
    'null',
    '"1"',
    '00.5',
  ])('is not %o', text => {
    expect(floats(`[${text}]`, 1)).toBeNull();
    expect(floats(`[1,${text}]`, 2)).toBeNull();
  });

  test('is no longer right next to a midpoint than anywhere else', () => {
    const half = '9007199254740993';
    for (const text of [
      half,
      `${half}.0`,
      `${half}00e-2`,
      '0.50000000000000005551',
      '5e-324',
      '2.4703282292062328e-324',
    ])
      expect(over(text).number()).toBe(Number(text));
  });
});

test('a list of integers is read to the last digit, or not at all', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), { minLength: 1 }), values => {
      const data = scanData(over(`[${values.join(', ')}]`), 'INT64', [values.length]);

      const fits = values.every(value => value === BigInt.asIntN(64, value));
      expect(data).toEqual(fits ? BigInt64Array.from(values) : null);
    }),
  );
});

test.each([
  ['another count than the shape', '[1,2]', [3]],
  ['a list within a flat one', '[1,[2],3]', [3]],
  ['a number within nested ones', '[[1],2]', [2, 1]],
  ['an end that is missing', '[1,2', [2]],
  ['a comma too many', '[1,2,]', [2]],
  ['two commas', '[1,,2]', [2]],
  ['text between', '[1 x,2]', [2]],
  ['no list', '1', [1]],
  ['a shape of millions', '[1]', [3_000_000]],
])('a list with %s is left to the parser', (_, text, shape) => {
  for (const datatype of ['FP16', 'FP32', 'INT32', 'INT64', 'BOOL', 'BYTES'] as const)
    expect(scanData(over(text), datatype, shape)).toBeNull();
});

test.each(['FP64', 'FP32'] as const)(
  '%s numbers are read up to the end of the text, whatever stands behind it',
  datatype => {
    const text = '[ [ -1.5 ,2.25,30 ] , [4,-5.0,0.123456789012] ] ';
    const bytes = Buffer.from(`${text}7, 8]`);

    for (let end = 1; end < text.length - 1; end++)
      for (const whole of [bytes, bytes.subarray(0, end)])
        expect(scanData(new JsonScanner(whole, 0, end), datatype, [2, 3])).toBeNull();
    expect(scanData(new JsonScanner(bytes, 0, text.length - 1), datatype, [2, 3])).toHaveLength(6);
  },
);

test('a list that ends where the text does has no numbers, however much white space is before it', () => {
  const text = '        [';
  const bytes = Buffer.from(`${text}1,2]`);

  for (const whole of [bytes, bytes.subarray(0, text.length)])
    expect(scanData(new JsonScanner(whole, 0, text.length), 'FP32', [2])).toBeNull();
});

test('a name is the text that stands there, whichever was read before', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '0', '!', ' '), maxLength: 70 });

  fc.assert(
    fc.property(fc.array(name, { minLength: 2, maxLength: 20 }), names => {
      const scanner = over(names.map(one => JSON.stringify(one)).join(''));

      expect(names.map(() => scanner.name())).toEqual(names);
    }),
  );
});

test.each(['"a', '"a\\n"', '"\u00fc"', '"a\n"', 'a', ''])('%o is no name, not after "a" either', text => {
  expect(over('"a"').name()).toBe('a');
  expect(over(text).name()).toBeNull();
});
