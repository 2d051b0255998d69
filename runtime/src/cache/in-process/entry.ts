import type { CachedReply } from '../cache.ts';
import type { Place } from './recency.ts';

/**
 * What an entry takes beside the bytes of its body and the characters of its texts: the objects, their places in
 * both orders, its share of the table, and the body's own allocation. 1,190 measured on Node 24, as what a process
 * grows by in resident memory with 250,000 entries, 30 for each header.
 */
const OVERHEAD_BYTES = 1200;
const OVERHEAD_OF_A_TEXT_BYTES = 16;

/** Where an entry stands, and who lets it go. */
export interface Holder {
  evict(entry: Entry, now: number): void;
}

/** An answer in memory; is its own lookup and its own finding, so that a hit makes no object. */
export class Entry {
  readonly name: string;
  readonly reply: CachedReply;
  readonly until: number;
  readonly sizeBytes: number;
  readonly shelf: Holder;
  inShelf: Place<Entry> | null = null;
  inRoom: Place<Entry> | null = null;

  constructor(shelf: Holder, name: string, reply: CachedReply, until: number) {
    this.shelf = shelf;
    this.name = name;
    this.reply = { headers: reply.headers, body: ownBytes(reply.body) };
    this.until = until;
    this.sizeBytes = sizeOf(name, reply);
  }

  get kind(): 'known' {
    return 'known';
  }

  get from(): 'memory' {
    return 'memory';
  }
}

/** What keeping it would take, in bytes. */
export function sizeOf(name: string, { headers, body }: CachedReply): number {
  let size = OVERHEAD_BYTES + name.length + body.byteLength;
  for (const text of headers) size += OVERHEAD_OF_A_TEXT_BYTES + text.length;
  return size;
}

/** A small Buffer is a slice of a larger allocation, all of which it would keep alive. */
function ownBytes(body: Buffer): Buffer {
  if (body.byteLength === body.buffer.byteLength) return body;
  const own = Buffer.allocUnsafeSlow(body.byteLength);
  body.copy(own);
  return own;
}
