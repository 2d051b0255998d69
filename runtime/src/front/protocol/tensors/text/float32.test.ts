import fc from 'fast-check';
import { expect, test } from 'vitest';
import { float32Text } from './float32.ts';

/** Of random bits: every exponent is as likely as any other. */
const anyBits = fc
  .uint32Array({ minLength: 1, maxLength: 50 })
  .map(bits => new Float32Array(bits.buffer, 0, bits.length));

/** By trying; to be compared with. */
function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

function expectRight(value: number): void {
  const text = float32Text(value);
  if (!Number.isFinite(value)) return expect(text).toBe('null');
  expect(Math.fround(JSON.parse(text) as number)).toBe(value);
  if (Object.is(value, -0)) expect(text).toBe('-0');
  else expect(text).toBe(Number.isInteger(value) ? String(value) : shortest(value));
}

test('every 32-bit number is printed by the shortest decimal that reads back as itself', () => {
  fc.assert(
    fc.property(anyBits, values => values.forEach(expectRight)),
    { numRuns: 1000 },
  );
});

test('so are those around powers of two and of ten, where steps change their size', () => {
  const around = (value: number): void => {
    const single = Float32Array.of(value);
    const bits = new Int32Array(single.buffer);
    bits[0]! -= 2;
    for (let step = 0; step < 5; step++, bits[0]!++) expectRight(single[0]!);
  };
  for (let power = -149; power < 128; power++) around(2 ** power);
  for (let power = -45; power < 39; power++) around(10 ** power);
});

test.each([
  [0.1, '0.1'],
  [1 / 3, '0.33333334'],
  [16777216, '16777216'],
  [-2.5, '-2.5'],
  [1e-6, '0.000001'],
  [1e-7, '1e-7'],
  [1.5e-10, '1.5e-10'],
  [123.456, '123.456'],
  [0, '0'],
  [-0, '-0'],
  [99999.99, '99999.99'],
  [Number.NaN, 'null'],
  [Number.NEGATIVE_INFINITY, 'null'],
])('%d is %s', (value, text) => {
  expect(float32Text(Math.fround(value))).toBe(text);
});
