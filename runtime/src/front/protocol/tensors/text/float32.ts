export const POWERS: readonly number[] = Array.from({ length: 80 }, (_, power) => Number(`1e${power}`));
const UP = 1 + 2 ** -51;
const DOWN = 1 - 2 ** -51;
/**
 * From a number of 24 bits to halfway to the next is at most this part of it, and at least half as much, on either
 * side. What is added and taken is far more than what rounding may have done to either.
 */
const SURELY_OFF = 2 ** -24 * (1 + 2 ** -20);
const SURELY_BACK = 2 ** -25 * (1 - 2 ** -20);
/** No float32 needs more. Six it always tells apart. */
const FEWEST_DIGITS = 6;
const MOST_DIGITS = 9;
const SMALLEST_NORMAL = 2 ** -126;
const LARGEST_INTEGER = 2 ** 31;
const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;
const SMALL_E = 0x65;

/** The longest text of one. */
export const FLOAT32_BYTES = 24;

/**
 * Writes the shortest decimal that reads back as this 32-bit number, `0.1` rather than `0.10000000149011612`, in the
 * form of JavaScript's numbers; integers with all their digits; what is not finite as `null`. Returns where it ends.
 */
export function putFloat32(bytes: Uint8Array, from: number, value: number): number {
  let at = from;
  if (value < 0 || (value === 0 && 1 / value < 0)) bytes[at++] = MINUS;
  const size = Math.abs(value);
  if (size < LARGEST_INTEGER && Number.isInteger(size)) return putDigits(bytes, at, size);
  if (!(size >= SMALLEST_NORMAL && size < LARGEST_INTEGER)) return putAscii(bytes, from, slowText(value));
  const exponent = decimalExponent(size);
  const most = MOST_DIGITS - 1 - exponent;
  for (let decimals = Math.max(0, FEWEST_DIGITS - 1 - exponent); decimals <= most; decimals++) {
    const scaled = size * POWERS[decimals]!;
    const digits = (scaled + 0.5) | 0;
    const off = Math.abs(digits - scaled);
    if (off > scaled * SURELY_OFF) continue;
    if (off < scaled * SURELY_BACK || readsBack(digits, decimals, size))
      return putDecimal(bytes, at, digits, decimals);
  }
  return putAscii(bytes, from, slowText(value));
}

export function float32Text(value: number): string {
  const bytes = Buffer.alloc(FLOAT32_BYTES);
  return bytes.toString('latin1', 0, putFloat32(bytes, 0, value));
}

/**
 * Whether digits / 10^decimals rounds to that number. The quotient here is off by less than what UP and DOWN add and
 * take; where both ends round alike, so does the truth.
 */
function readsBack(digits: number, decimals: number, size: number): boolean {
  const near = digits / POWERS[decimals]!;
  return Math.fround(near * UP) === size && Math.fround(near * DOWN) === size;
}

/** Of the first digit that is not zero: 0 from 1 to below 10. */
export function decimalExponent(size: number): number {
  if (size >= 1) {
    let exponent = 0;
    while (size >= POWERS[exponent + 1]!) exponent++;
    return exponent;
  }
  // From 1 on: -0 as an index would have the compiler give up on this function again and again.
  let zeros = 1;
  while (size * POWERS[zeros]! < 1) zeros++;
  return -zeros;
}

/** digits × 10^-decimals, without zeros at its end, as JavaScript prints it. */
export function putDecimal(bytes: Uint8Array, from: number, allDigits: number, allDecimals: number): number {
  let digits = allDigits | 0;
  let decimals = allDecimals;
  for (let tenth = (digits / 10) | 0; tenth * 10 === digits; tenth = (digits / 10) | 0) {
    digits = tenth;
    decimals--;
  }
  const count = countDigits(digits);
  const exponent = count - 1 - decimals;
  if (exponent < -6) return putExponential(bytes, from, digits, count, exponent);
  if (exponent >= 0) return putPointed(bytes, from, digits, count, decimals);
  let at = from;
  bytes[at++] = ZERO;
  bytes[at++] = POINT;
  for (let zeros = decimals - count; zeros > 0; zeros--) bytes[at++] = ZERO;
  return putDigits(bytes, at, digits);
}

/** With a point before the last `decimals` of its digits; there are more of them than that. None: no point. */
function putPointed(
  bytes: Uint8Array,
  from: number,
  digits: number,
  count: number,
  decimals: number,
): number {
  if (decimals === 0) return putDigits(bytes, from, digits);
  const end = from + count + 1;
  const point = end - 1 - decimals;
  let rest = digits;
  for (let at = end - 1; at >= from; at--) {
    if (at === point) {
      bytes[at] = POINT;
      continue;
    }
    const tenth = (rest / 10) | 0;
    bytes[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

function putExponential(
  bytes: Uint8Array,
  from: number,
  digits: number,
  count: number,
  exponent: number,
): number {
  let at = putPointed(bytes, from, digits, count, count - 1);
  bytes[at++] = SMALL_E;
  bytes[at++] = MINUS;
  return putDigits(bytes, at, -exponent);
}

/** A whole number that is not negative and below 2^31. */
export function putDigits(bytes: Uint8Array, from: number, value: number): number {
  let rest = value | 0;
  const end = from + countDigits(rest);
  for (let at = end - 1; at >= from; at--) {
    const tenth = (rest / 10) | 0;
    bytes[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

function countDigits(value: number): number {
  if (value < 1e5) return value < 10 ? 1 : value < 100 ? 2 : value < 1e3 ? 3 : value < 1e4 ? 4 : 5;
  return value < 1e6 ? 6 : value < 1e7 ? 7 : value < 1e8 ? 8 : value < 1e9 ? 9 : 10;
}

/** Text of plain characters. */
export function putAscii(bytes: Uint8Array, from: number, text: string): number {
  for (let index = 0; index < text.length; index++) bytes[from + index] = text.charCodeAt(index);
  return from + text.length;
}

/** For what is rare: very large, very small, or not a number. */
function slowText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  if (Number.isInteger(value)) return String(value);
  for (let digits = 1; digits < MOST_DIGITS; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(MOST_DIGITS)));
}
