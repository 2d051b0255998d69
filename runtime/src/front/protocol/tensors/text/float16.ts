import { decimalExponent, POWERS, putAscii, putDecimal, putDigits } from './float32.ts';

/** No half needs more: the nearest decimal of five is off by 10^-4 / 2 of it at most, half a step is 2^-12 at least. */
const MOST_DIGITS = 5;
/** Three it always tells apart, so what has fewer ends in zeros; but not where steps no longer shrink with the size. */
const FEWEST_DIGITS = 3;
const SMALLEST_NORMAL = 2 ** -14;
const MINUS = 0x2d;
/** The longest text of one: `-0.000061035`. */
const FLOAT16_BYTES = 16;

/**
 * Writes the shortest decimal that reads back as this 16-bit number, `0.1` rather than `0.0999755859375`, in the form
 * of JavaScript's numbers; integers with all their digits; what is not finite as `null`. Returns where it ends. Of a
 * 16-bit number: another may be no decimal of so few digits.
 */
export function putFloat16(bytes: Uint8Array, from: number, value: number): number {
  if (!Number.isFinite(value)) return putAscii(bytes, from, 'null');
  let at = from;
  if (value < 0 || Object.is(value, -0)) bytes[at++] = MINUS;
  const size = Math.abs(value);
  if (Number.isInteger(size)) return putDigits(bytes, at, size);
  const exponent = decimalExponent(size);
  let digits = 0;
  let decimals = 0;
  for (let count = size < SMALLEST_NORMAL ? 1 : FEWEST_DIGITS; count <= MOST_DIGITS; count++) {
    decimals = count - 1 - exponent;
    digits = Math.round(size * POWERS[decimals]!);
    // Both are exact, so their quotient is the very double that a reader makes of the decimal.
    if (Math.f16round(digits / POWERS[decimals]!) === size) break;
  }
  return putDecimal(bytes, at, digits, decimals);
}

export function float16Text(value: number): string {
  const bytes = Buffer.alloc(FLOAT16_BYTES);
  return bytes.toString('latin1', 0, putFloat16(bytes, 0, value));
}
