/** Bytes that came and were not taken yet; put together only once there are enough to look at. */
export class Held {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Fewer than these are not worth looking at. */
  #enough = 1;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Everything held, in one piece; null until there is enough. */
  peek(): Buffer | null {
    if (this.#bytes < this.#enough) return null;
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks, this.#bytes)];
    return this.#chunks[0]!;
  }

  /** Look again when there are so many. */
  await(bytes: number): void {
    this.#enough = bytes;
  }

  /** Forgets so many from the front. */
  take(bytes: number): void {
    const all = this.#chunks[0]!;
    this.#bytes -= bytes;
    this.#chunks = this.#bytes === 0 ? [] : [all.subarray(bytes)];
    this.#enough = 1;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Everything, no longer held here. */
  release(): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#bytes = 0;
    return all;
  }
}
