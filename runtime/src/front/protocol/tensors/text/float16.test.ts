import { expect, test } from 'vitest';
import { scanData } from '../json/scan-data.ts';
import { JsonScanner } from '../json/scanner.ts';
import { readData } from '../json-data.ts';
import { writeData } from './data.ts';
import { float16Text } from './float16.ts';
import { TextSink } from './sink.ts';

/** Every half there is, by its bits. */
const BITS = Uint16Array.from({ length: 2 ** 16 }, (_, index) => index);
const ALL = new Float16Array(BITS.buffer);
const FINITE = ALL.filter(Number.isFinite);

const bitsOf = (data: unknown): Uint16Array => {
  const { buffer, byteOffset, length } = data as Float16Array;
  return new Uint16Array(buffer, byteOffset, length);
};

function print(data: Float16Array<ArrayBuffer>): string {
  const sink = new TextSink();
  writeData(sink, 'FP16', data);
  return `[${String(sink.take())}]`;
}

test('every finite half is printed as what reads back as its very bits, whichever way it is read', () => {
  const text = print(FINITE);
  const values = JSON.parse(text) as number[];
  const shape = [FINITE.length];

  const scanned = scanData(new JsonScanner(Buffer.from(text), 0, text.length), 'FP16', shape);
  const parsed = readData('x', 'FP16', shape, values);
  // As a reader does that knows no halves, and rounds twice.
  const byWayOfSingles = Float16Array.from(Float32Array.from(values));

  for (const read of [scanned, parsed, byWayOfSingles]) expect(bitsOf(read)).toEqual(bitsOf(FINITE));
});

test('those of the 65,536 that are no numbers are null', () => {
  const texts = JSON.parse(print(ALL)) as unknown[];

  expect(texts).toHaveLength(2 ** 16);
  expect(texts.filter(value => value === null)).toHaveLength(2 ** 16 - FINITE.length);
  expect(FINITE).toHaveLength(2 ** 16 - 2 ** 11);
});

test('no half has a shorter decimal than the one it is printed as', () => {
  for (const value of FINITE.filter(half => half > 0 && !Number.isInteger(half))) {
    const [digits, exponent] = scientific(float16Text(value));
    // Both decimals of one digit less that lie beside it.
    const below = Math.floor(Number(`${value}e${digits.length - 2 - exponent}`));
    const shorter = [below, below + 1].map(whole => Number(`${whole}e${exponent - digits.length + 2}`));
    for (const decimal of digits.length > 1 ? shorter : [])
      if (Math.f16round(decimal) === value) throw new Error(`${value} is ${decimal} as well`);
  }
});

/** Its digits from the first to the last that is not 0, and the exponent of the first. */
function scientific(text: string): [digits: string, exponent: number] {
  const [mantissa, exponent] = Number(text).toExponential().split('e');
  return [mantissa!.replace('.', ''), Number(exponent)];
}

test.each([
  [0.1, '0.1'],
  [1 / 3, '0.3333'],
  [65504, '65504'],
  [-2.5, '-2.5'],
  [2 ** -24, '6e-8'],
  [2 ** -14, '0.00006104'],
  [2 ** -14 - 2 ** -24, '0.000061'],
  [2048.4, '2048'],
  [1023.5, '1023.5'],
  [0, '0'],
  [-0, '-0'],
  [65520, 'null'],
  [Number.NaN, 'null'],
])('%d is %s', (value, text) => {
  expect(float16Text(Math.f16round(value))).toBe(text);
});
