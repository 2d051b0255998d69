import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CachedReply, EntryFlaw } from '../cache.ts';
import type { ShelfLabel } from '../store.ts';

/*
 * An entry, numbers big-endian:
 *
 *   0  format, 1 byte        what follows is laid out like this
 *   1  code, 32 bytes        HMAC-SHA256 over the format and everything after the code
 *  33  digest, 32 bytes      of the name it was written under, so that it answers nothing else
 *  65  good until, 8 bytes   milliseconds of the wall clock, so that it can't be laid there again later
 *  73  headers, 4 bytes      how many bytes they take
 *  77  body, 4 bytes         how many bytes it takes
 *  81  headers, then body    name and value of each header, each behind its length in 4 bytes
 */
const FORMAT = 1;
const CODE_AT = 1;
const DIGEST_AT = 33;
const UNTIL_AT = 65;
const HEADERS_BYTES_AT = 73;
const BODY_BYTES_AT = 77;
const HEADERS_AT = 81;

/** Where an answer stands in Redis, and the digest that its entry must carry. */
export interface EntryName {
  name: string;
  digest: Buffer;
}

export interface Sealed {
  reply: CachedReply;
  /** Milliseconds of the wall clock. */
  goodUntil: number;
}

export interface EntrySeal {
  /** The name says nothing to whoever does not have the secret. */
  nameOf(label: Buffer, name: string): EntryName;
  seal(name: EntryName, sealed: Sealed): Buffer;
  /** `now`: of the wall clock. */
  open(name: EntryName, bytes: Buffer, now: number): Sealed | EntryFlaw;
}

/** Each part behind its length, so that no two labels read the same. */
export function printLabel({ model, revision, digest }: ShelfLabel): Buffer {
  return Buffer.concat([model, revision, digest].map(lengthAndText));
}

/** The largest entry that a reply makes, in bytes, but for its headers' text beyond Latin letters. */
export function entrySize({ headers, body }: CachedReply): number {
  let size = HEADERS_AT + body.byteLength;
  for (const text of headers) size += 4 + text.length;
  return size;
}

/**
 * Entries that only holders of the secret can write: whoever else may write into Redis can make us forget, and
 * nothing more. `secret` is shared by all runtimes that share answers.
 */
export function entrySeal(secret: string): EntrySeal {
  const nameKey = createHmac('sha256', secret).update('switchback reply name').digest();
  const codeKey = createHmac('sha256', secret).update('switchback reply entry').digest();

  function codeOf(bytes: Buffer): Buffer {
    return createHmac('sha256', codeKey)
      .update(bytes.subarray(0, CODE_AT))
      .update(bytes.subarray(DIGEST_AT))
      .digest();
  }

  return {
    nameOf(label, name) {
      const digest = createHmac('sha256', nameKey).update(label).update(name).digest();
      return { name: `switchback:reply:${digest.toString('base64url')}`, digest };
    },
    seal({ digest }, { reply, goodUntil }) {
      const headers = printHeaders(reply.headers);
      const bytes = Buffer.allocUnsafe(HEADERS_AT + headers.byteLength + reply.body.byteLength);
      bytes[0] = FORMAT;
      digest.copy(bytes, DIGEST_AT);
      bytes.writeDoubleBE(goodUntil, UNTIL_AT);
      bytes.writeUInt32BE(headers.byteLength, HEADERS_BYTES_AT);
      bytes.writeUInt32BE(reply.body.byteLength, BODY_BYTES_AT);
      headers.copy(bytes, HEADERS_AT);
      reply.body.copy(bytes, HEADERS_AT + headers.byteLength);
      codeOf(bytes).copy(bytes, CODE_AT);
      return bytes;
    },
    open({ digest }, bytes, now) {
      if (bytes.byteLength < HEADERS_AT || bytes[0] !== FORMAT) return 'malformed';
      const bodyAt = HEADERS_AT + bytes.readUInt32BE(HEADERS_BYTES_AT);
      if (bodyAt + bytes.readUInt32BE(BODY_BYTES_AT) !== bytes.byteLength) return 'malformed';
      if (!digest.equals(bytes.subarray(DIGEST_AT, UNTIL_AT))) return 'foreign';
      if (!timingSafeEqual(codeOf(bytes), bytes.subarray(CODE_AT, DIGEST_AT))) return 'forged';
      const goodUntil = bytes.readDoubleBE(UNTIL_AT);
      if (!(goodUntil > now)) return 'expired';
      const headers = readHeaders(bytes.subarray(HEADERS_AT, bodyAt));
      return headers === null ? 'malformed' : { reply: { headers, body: bytes.subarray(bodyAt) }, goodUntil };
    },
  };
}

function printHeaders(headers: CachedReply['headers']): Buffer {
  return Buffer.concat(headers.map(lengthAndText));
}

/** Null: not laid out as we write them. */
function readHeaders(bytes: Buffer): string[] | null {
  const texts: string[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    if (at + 4 > bytes.byteLength) return null;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.byteLength) return null;
    texts.push(bytes.toString('utf8', at + 4, end));
    at = end;
  }
  return texts.length % 2 === 0 ? texts : null;
}

function lengthAndText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.byteLength);
  return Buffer.concat([length, bytes]);
}
