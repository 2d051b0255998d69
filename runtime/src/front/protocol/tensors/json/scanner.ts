import { decimalValue } from './exact-number.ts';

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const SMALL_E = 0x65;
const LARGE_E = 0x45;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
/** A lead of nine digits; those that follow, nine more at most, are the tail. Either fits 32 bits. */
const LEAD_IS_FULL = 1e8;
const TAIL_DIGITS = 9;
/** What no digit is. Of all bytes, only digits are below 10 in the bits in which they differ from ZERO. */
const NO_DIGIT = 0xff;

/**
 * The last name by its first character: to compare it costs a tenth of making it once more. Printable ones are below
 * 128.
 */
const KNOWN: string[] = new Array<string>(128).fill('');
const MOST_KNOWN = KNOWN.length - 1;
const MOST_KNOWN_CHARS = 64;

/**
 * A place in a JSON text, and steps from there over what is usual in it. A step that meets anything else says so and
 * leaves the place undefined; whoever steps then reads the text by other means. It never takes what JSON does not.
 */
export class JsonScanner {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.end = end;
    this.at = at;
  }

  /** Over white space, to the next byte, which is returned; -1 at the end. */
  peek(): number {
    const { bytes, end } = this;
    let { at } = this;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte > SPACE || (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
        this.at = at;
        return byte;
      }
      at++;
    }
    this.at = at;
    return -1;
  }

  /** Over this byte, if it is next. */
  take(byte: number): boolean {
    if (this.at < this.end && this.bytes[this.at] === byte) {
      this.at++;
      return true;
    }
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  /** Over a string that is one of these words, and which; -1: it is none. Words are of plain characters. */
  word(words: readonly Uint8Array[]): number {
    if (!this.take(QUOTE)) return -1;
    for (let index = 0; index < words.length; index++) {
      const word = words[index]!;
      const close = this.at + word.length;
      if (close < this.end && this.bytes[close] === QUOTE && this.#isNext(word)) {
        this.at = close + 1;
        return index;
      }
    }
    return -1;
  }

  /** Over these plain characters. */
  literal(word: Uint8Array): boolean {
    if (this.at + word.length > this.end || !this.#isNext(word)) return false;
    this.at += word.length;
    return true;
  }

  /** The same as `string`, for texts that come again with one request after the other. */
  name(): string | null {
    if (!this.take(QUOTE)) return null;
    const { at: start } = this;
    const known = KNOWN[start < this.end ? this.bytes[start]! & MOST_KNOWN : 0]!;
    const close = start + known.length;
    if (close < this.end && this.bytes[close] === QUOTE && this.#isNextText(known)) {
      this.at = close + 1;
      return known;
    }
    const name = this.#restOfString();
    if (name !== null && name.length > 0 && name.length <= MOST_KNOWN_CHARS)
      KNOWN[name.charCodeAt(0) & MOST_KNOWN] = name;
    return name;
  }

  /** Over a string of printable ASCII without escapes; null: it is another. */
  string(): string | null {
    return this.take(QUOTE) ? this.#restOfString() : null;
  }

  #restOfString(): string | null {
    const { bytes, end, at: start } = this;
    let at = start;
    while (at < end && bytes[at] !== QUOTE) {
      const byte = bytes[at]!;
      if (byte < SPACE || byte > 0x7e || byte === BACKSLASH) return null;
      at++;
    }
    if (at === end) return null;
    this.at = at + 1;
    return textOf(bytes, start, at);
  }

  /** Over a number; NaN: it is none, or goes beyond what a double holds. Rounded once, to the nearest. */
  number(): number {
    const { bytes, end } = this;
    let at = this.at;
    let byte = at < end ? bytes[at]! : 0;
    if (byte <= SPACE) {
      byte = this.peek();
      at = this.at;
    }
    const isNegative = byte === MINUS;
    if (isNegative) at++;
    const start = at;
    let lead = 0;
    let tail = 0;
    let tailDigits = 0;
    let digit = at < end ? bytes[at]! ^ ZERO : NO_DIGIT;
    for (; digit <= 9 && lead < LEAD_IS_FULL; digit = ++at < end ? bytes[at]! ^ ZERO : NO_DIGIT)
      lead = (lead * 10 + digit) | 0;
    for (; digit <= 9 && tailDigits < TAIL_DIGITS; digit = ++at < end ? bytes[at]! ^ ZERO : NO_DIGIT) {
      tail = (tail * 10 + digit) | 0;
      tailDigits++;
    }
    const point = at;
    if (point === start || (bytes[start] === ZERO && point > start + 1)) return Number.NaN;
    if (digit === (POINT ^ ZERO)) {
      digit = ++at < end ? bytes[at]! ^ ZERO : NO_DIGIT;
      if (tailDigits === 0)
        for (; digit <= 9 && lead < LEAD_IS_FULL; digit = ++at < end ? bytes[at]! ^ ZERO : NO_DIGIT)
          lead = (lead * 10 + digit) | 0;
      for (; digit <= 9 && tailDigits < TAIL_DIGITS; digit = ++at < end ? bytes[at]! ^ ZERO : NO_DIGIT) {
        tail = (tail * 10 + digit) | 0;
        tailDigits++;
      }
      if (at === point + 1 && digit > 9) return Number.NaN;
    }
    this.at = at;
    // More digits, or an exponent.
    if (digit <= 9 || digit === (LARGE_E ^ ZERO) || digit === (SMALL_E ^ ZERO))
      return this.#longNumber(isNegative, start);
    const value = decimalValue(lead, tail, tailDigits, at === point ? 0 : at - point - 1);
    if (Number.isNaN(value)) return this.#longNumber(isNegative, start);
    return isNegative ? -value : value;
  }

  /** Over a whole number without fraction or exponent, exact whatever its length; null: it is another. */
  integer(): bigint | null {
    this.peek();
    const start = this.at;
    const value = this.number();
    if (Number.isNaN(value)) return null;
    for (let at = start + 1; at < this.at; at++)
      if (this.bytes[at]! < ZERO || this.bytes[at]! > NINE) return null;
    const isShort = Number.isSafeInteger(value);
    return BigInt(isShort ? value : textOf(this.bytes, start, this.at));
  }

  /** From the first digit on, by means that know any number. */
  #longNumber(isNegative: boolean, start: number): number {
    this.at = start;
    this.#digits();
    if (bytesAt(this, this.at) === POINT) {
      this.at++;
      if (!this.#digits()) return Number.NaN;
    }
    const byte = bytesAt(this, this.at);
    if (byte === SMALL_E || byte === LARGE_E) {
      const sign = bytesAt(this, ++this.at);
      if (sign === MINUS || sign === PLUS) this.at++;
      if (!this.#digits()) return Number.NaN;
    }
    const value = Number(textOf(this.bytes, start, this.at));
    if (!Number.isFinite(value)) return Number.NaN;
    return isNegative ? -value : value;
  }

  /** Over at least one. */
  #digits(): boolean {
    const { bytes, end, at: start } = this;
    let at = start;
    while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
    this.at = at;
    return at > start;
  }

  #isNextText(text: string): boolean {
    const { bytes, at } = this;
    for (let index = 0; index < text.length; index++)
      if (bytes[at + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  #isNext(word: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let index = 0; index < word.length; index++) if (bytes[at + index] !== word[index]) return false;
    return true;
  }
}

function bytesAt({ bytes, end }: JsonScanner, at: number): number {
  return at < end ? bytes[at]! : -1;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.toString.call(bytes, 'latin1', start, end);
}
