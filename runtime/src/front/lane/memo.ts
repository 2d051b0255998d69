import { type ReadHead, readHead } from './head.ts';

/**
 * Reads heads, remembering the last: a client that keeps its connection sends the same head again and again, and
 * comparing is ten times cheaper than reading.
 */
export class HeadMemo {
  #bytes: Buffer | null = null;
  #read: (ReadHead & { kind: 'head' }) | null = null;

  read(bytes: Buffer): ReadHead {
    const last = this.#bytes;
    if (last !== null && bytes.length >= last.length && last.compare(bytes, 0, last.length) === 0)
      return this.#read!;
    const read = readHead(bytes);
    if (read.kind === 'head') {
      this.#read = read;
      // A copy: the chunk it came in is larger, and would be kept.
      this.#bytes = Buffer.from(bytes.subarray(0, read.head.headBytes));
    }
    return read;
  }
}
