import { POWERS } from './exact-number.ts';
import { CLOSE_LIST, COMMA, type JsonScanner } from './scanner.ts';

const SPACE = 0x20;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
/** Of all bytes, only digits are below 10 in the bits in which they differ from ZERO. */
const POINT_DIGIT = POINT ^ ZERO;
const COMMA_DIGIT = COMMA ^ ZERO;
const CLOSE_LIST_DIGIT = CLOSE_LIST ^ ZERO;
/** A lead of nine digits; those that follow, nine more at most, are the tail. Either fits 32 bits. */
const LEAD_IS_FULL = 1e8;
const TAIL_DIGITS = 9;
const UP = 1 + 2 ** -50;
const DOWN = 1 - 2 ** -50;

/**
 * `count` numbers and the end of their list, none further from 0 than `largest`. The steps of `JsonScanner.number`
 * once more, for what most numbers are, in one loop: a number that is returned is boxed, and a place that is kept in
 * an object is written each time, which together is as much work as the digits.
 */
export function scanFloats(
  scanner: JsonScanner,
  data: Float32Array | Float64Array,
  from: number,
  count: number,
  largest: number,
): boolean {
  const { bytes, end } = scanner;
  let { at } = scanner;
  if (at === end || isSteppedOver(bytes[end - 1]!)) return false;
  const isSingle = data instanceof Float32Array;
  for (let index = from; index < from + count; index++) {
    if (index > from) {
      if (bytes[at] === COMMA) at++;
      else {
        scanner.at = at;
        if (!scanner.take(COMMA)) return false;
        at = scanner.at;
      }
    }
    if (bytes[at] === SPACE) at++;
    const begin = at;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    const start = at;
    let lead = 0;
    let tail = 0;
    let tailDigits = 0;
    let point = -1;
    let digit = bytes[at]! ^ ZERO;
    for (; digit <= 9 && lead < LEAD_IS_FULL; digit = bytes[++at]! ^ ZERO) lead = (lead * 10 + digit) | 0;
    const whole = at - start;
    if (digit === POINT_DIGIT) {
      point = at;
      digit = bytes[++at]! ^ ZERO;
      for (; digit <= 9 && lead < LEAD_IS_FULL; digit = bytes[++at]! ^ ZERO) lead = (lead * 10 + digit) | 0;
      for (; digit <= 9 && tailDigits < TAIL_DIGITS; digit = bytes[++at]! ^ ZERO) {
        tail = (tail * 10 + digit) | 0;
        tailDigits++;
      }
    }
    const decimals = point === -1 ? 0 : at - point - 1;
    const isUsual =
      (digit === COMMA_DIGIT || digit === CLOSE_LIST_DIGIT) &&
      whole > 0 &&
      (whole === 1 || bytes[start] !== ZERO) &&
      (point === -1 || decimals > 0);
    // Ways without a variable in common: what a call returns may be anything, and would have it boxed in all.
    if (isUsual && tailDigits === 0 && decimals < POWERS.length) {
      const size = lead / POWERS[decimals]!;
      if (size > largest) return false;
      data[index] = isNegative ? -size : size;
      continue;
    }
    if (isUsual && tailDigits > 0 && isSingle && decimals < POWERS.length) {
      // Off by less than what UP and DOWN add and take: where both ends round to one 32-bit number, so does the truth.
      const near = (lead * POWERS[tailDigits]! + tail) / POWERS[decimals]!;
      const size = Math.fround(near * UP);
      if (size === Math.fround(near * DOWN) && size <= largest) {
        data[index] = isNegative ? -size : size;
        continue;
      }
    }
    scanner.at = begin;
    const value = scanner.number();
    if (!(Math.abs(value) <= largest)) return false;
    data[index] = value;
    at = scanner.at;
  }
  scanner.at = at;
  return scanner.take(CLOSE_LIST);
}

/** Of a text that ends with another byte, no step of the loop leads behind its end, so that none has to look for it. */
function isSteppedOver(byte: number): boolean {
  return (
    (byte >= ZERO && byte <= NINE) || byte === POINT || byte === MINUS || byte === COMMA || byte === SPACE
  );
}
