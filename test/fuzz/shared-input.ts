import { LARGEST_INPUT } from './mutate.ts';

const HEAD_BYTES = 16;
const STOP = 0;
const LENGTH = 1;

/** What a thread that reads and a thread that watches have in common: the present input, and since when. */
export class SharedInput {
  readonly buffer: SharedArrayBuffer;
  readonly #numbers: Int32Array;
  readonly #since: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(buffer = new SharedArrayBuffer(HEAD_BYTES + LARGEST_INPUT)) {
    this.buffer = buffer;
    this.#numbers = new Int32Array(buffer, 0, 2);
    this.#since = new Float64Array(buffer, 8, 1);
    this.#bytes = new Uint8Array(buffer, HEAD_BYTES);
  }

  begin(input: Buffer): void {
    this.#bytes.set(input);
    Atomics.store(this.#numbers, LENGTH, input.length);
    this.#since[0] = Date.now();
  }

  /** Milliseconds for which the present input has been read; 0 before the first. */
  ageMs(): number {
    const since = this.#since[0] ?? 0;
    return since === 0 ? 0 : Math.max(1, Date.now() - since);
  }

  present(): Buffer {
    return Buffer.from(this.#bytes.slice(0, Atomics.load(this.#numbers, LENGTH)));
  }

  stop(): void {
    Atomics.store(this.#numbers, STOP, 1);
  }

  isStopped(): boolean {
    return Atomics.load(this.#numbers, STOP) === 1;
  }
}
