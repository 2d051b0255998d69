import { DELIMITED, type VARINT } from './wire-reader.ts';

/** Beyond what a varint of a length or a whole number takes. */
const MOST_VARINT_BYTES = 10;
/** What a field takes besides its content. */
export const HEAD_BYTES = 2 * MOST_VARINT_BYTES;

/**
 * Writes one protobuf message from its end to its beginning: so the length of what is within is known when it is to
 * be written before it. Fields stand in the message in the reverse order of the calls.
 */
export class WireWriter {
  readonly #bytes: Buffer;
  #at: number;

  /** At least as many bytes as will be written. */
  constructor(mostBytes: number) {
    this.#bytes = Buffer.allocUnsafe(mostBytes);
    this.#at = mostBytes;
  }

  /** How far from the end the next field will stand; to be handed to `close`. */
  get written(): number {
    return this.#bytes.length - this.#at;
  }

  /** What was written, sharing memory. */
  finish(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  text(field: number, value: string): void {
    const size = Buffer.byteLength(value);
    this.#at -= size;
    this.#bytes.write(value, this.#at, 'utf8');
    this.#head(field, DELIMITED, size);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#at -= value.length;
    this.#bytes.set(value, this.#at);
    this.#head(field, DELIMITED, value.length);
  }

  /** Makes everything written since `written` was read the content of one field. */
  close(field: number, since: number): void {
    this.#head(field, DELIMITED, this.written - since);
  }

  /** Whole numbers from 0 to 2^53 - 1. */
  numbers(field: number, values: readonly number[]): void {
    const since = this.written;
    for (let index = values.length; index > 0; index--) this.#varint(values[index - 1]!);
    this.close(field, since);
  }

  #head(field: number, type: typeof VARINT | typeof DELIMITED, size: number): void {
    this.#varint(size);
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    let bytes = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
    this.#at -= bytes;
    let rest = value;
    for (let index = 0; index < bytes; index++) {
      this.#bytes[this.#at + index] = (rest % 0x80) + (index === bytes - 1 ? 0 : 0x80);
      rest = Math.floor(rest / 0x80);
    }
  }
}
