import { SwitchbackError } from '../../../error.ts';

export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;

const LONGEST_VARINT_BITS = 70;

/**
 * Walks the fields of one protobuf message, without making an object of any: a message of some megabytes may hold
 * millions of empty fields or 64-bit numbers, each of which a general decoder turns into an object many times its size.
 */
export class WireReader {
  /** Of the field that the reader stands at, as is everything up to `to`. */
  number = 0;
  type = 0;
  /** Where its content stands: the value, or what its length covers. */
  from = 0;
  to = 0;
  /** Both halves of the varint that was read last, each from 0 to 2^32 - 1. */
  low = 0;
  high = 0;
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Goes to the next field; false where there is none. Throws E_BODY for what is no field. */
  next(): boolean {
    if (this.isAtEnd) return false;
    this.varint();
    this.number = this.low >>> 3;
    this.type = this.low & 7;
    if (this.number === 0 || this.high !== 0) throw malformed('it has a field without a number');
    const size = this.#contentBytes();
    this.to = this.from + size;
    if (this.to > this.#end) throw malformed('it ends within a field');
    this.#at = this.to;
    return true;
  }

  /** Reads the varint here, which is no field but one of packed numbers. */
  varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < LONGEST_VARINT_BITS; shift += 7) {
      if (this.isAtEnd) throw malformed('it ends within a number');
      const byte = this.#bytes[this.#at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift > 28) high |= bits << (shift - 32);
      else {
        low |= bits << 28;
        high = bits >>> 4;
      }
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw malformed('it has a number of more than ten bytes');
  }

  /** The last varint as an int64; beyond 2^53 only its size is right. */
  get signed(): number {
    return (this.high | 0) * 2 ** 32 + this.low;
  }

  /** The last varint as a uint64; beyond 2^53 only its size is right. */
  get unsigned(): number {
    return this.high * 2 ** 32 + this.low;
  }

  /** The content of a delimited field, sharing memory. */
  content(): Buffer {
    this.expect(DELIMITED);
    return this.#bytes.subarray(this.from, this.to);
  }

  /** The message within a delimited field. */
  inner(): WireReader {
    this.expect(DELIMITED);
    return new WireReader(this.#bytes, this.from, this.to);
  }

  /** At most so many bytes of it: longer than anything that is looked for is as unknown as whole. */
  text(mostBytes: number): string {
    this.expect(DELIMITED);
    return this.#bytes.toString('utf8', this.from, Math.min(this.to, this.from + mostBytes));
  }

  double(): number {
    this.expect(FIXED64);
    return this.#bytes.readDoubleLE(this.from);
  }

  expect(type: number): void {
    if (this.type !== type) throw malformed(`its field ${this.number} is of another kind`);
  }

  /** Also sets where the content begins. A field that is a varint leaves its value in `low` and `high`. */
  #contentBytes(): number {
    this.from = this.#at;
    if (this.type === FIXED64) return 8;
    if (this.type === FIXED32) return 4;
    if (this.type !== VARINT && this.type !== DELIMITED) throw malformed('it has a field of no known kind');
    this.varint();
    if (this.type === VARINT) return this.#at - this.from;
    this.from = this.#at;
    return this.unsigned;
  }
}

export function malformed(why: string): SwitchbackError {
  return new SwitchbackError('E_BODY', `The message is no ModelInferRequest: ${why}.`);
}
