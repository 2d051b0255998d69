import { badInput } from '../tensors/refusal.ts';
import { badBody } from './bad-body.ts';

/** The tensors behind the JSON, one after the other, in the order in which it names them. */
export class Tail {
  readonly #body: Buffer;
  #at: number;

  constructor(body: Buffer, from: number) {
    this.#body = body;
    this.#at = from;
  }

  /** The next ones; not copied. Throws E_INPUT where there are fewer. */
  take(name: string, size: number): Buffer {
    const left = this.#body.length - this.#at;
    if (size > left)
      throw badInput(
        name,
        `says that ${size} bytes of it come behind the JSON`,
        `${left} bytes that are left there`,
      );
    const end = this.#at + size;
    const bytes = this.#body.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** Throws E_BODY where there is more than was named. */
  finish(): void {
    const left = this.#body.length - this.#at;
    if (left > 0) throw badBody(`${left} bytes are left behind the last binary tensor`);
  }
}
