import { putAscii, putDigits } from './float32.ts';

const FIRST_BYTES = 16 * 1024;
/** Memory that is kept from one text to the next; what grew beyond is given back. */
const KEPT_BYTES = 256 * 1024;

/** Text in the making, in memory that is used again for the next one: not to be held while anything is awaited. */
export class TextSink {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #isAscii = true;
  /** Where the next byte goes; whoever writes into `room()` moves it. */
  at = 0;

  /** Memory with at least as many bytes free from `at` on. */
  room(bytes: number): Buffer {
    if (this.#bytes.length - this.at < bytes) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.at + bytes));
      larger.set(this.#bytes.subarray(0, this.at));
      this.#bytes = larger;
    }
    return this.#bytes;
  }

  /** Text of plain characters only. */
  ascii(text: string): void {
    const bytes = this.room(text.length);
    this.at = putAscii(bytes, this.at, text);
  }

  /** Any text; a lone surrogate becomes the character that stands for what is unknown. */
  text(text: string): void {
    const bytes = this.room(3 * text.length);
    const written = bytes.write(text, this.at, 'utf8');
    if (written !== text.length) this.#isAscii = false;
    this.at += written;
  }

  /** A whole number that is not negative and below 2^31. */
  digits(value: number): void {
    const bytes = this.room(10);
    this.at = putDigits(bytes, this.at, value);
  }

  /** ASCII as bytes. */
  bytes(part: Uint8Array): void {
    this.room(part.length).set(part, this.at);
    this.at += part.length;
  }

  /** All that was written since the last one was taken. A string where it is ASCII: those are sent at less cost. */
  take(): string | Buffer {
    const taken = this.#isAscii
      ? this.#bytes.toString('latin1', 0, this.at)
      : Buffer.from(this.#bytes.subarray(0, this.at));
    this.#begin();
    return taken;
  }

  /** The same as the first of `size` bytes, which the caller fills up. */
  takeBytes(size: number): Buffer {
    const taken = Buffer.allocUnsafe(size);
    this.#bytes.copy(taken, 0, 0, this.at);
    this.#begin();
    return taken;
  }

  #begin(): void {
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.at = 0;
    this.#isAscii = true;
  }
}
