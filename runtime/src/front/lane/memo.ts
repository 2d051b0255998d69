import { type ReadHead, readHead } from './head.ts';

const ZERO = 0x30;
const NINE = 0x39;
/** As in `readHead`: no body is longer than that many digits can say. */
const MOST_DIGITS = 10;

/**
 * Reads heads, remembering the last: a client that keeps its connection sends the same head again and again, but for
 * the length of the body, and comparing is ten times cheaper than reading. Heads that are alike share their `headers`.
 */
export class HeadMemo {
  #last: Remembered | null = null;

  read(bytes: Buffer): ReadHead {
    const known = this.#last === null ? null : alike(bytes, this.#last);
    if (known !== null) return known;
    const read = readHead(bytes);
    if (read.kind === 'head') this.#last = remember(read, bytes);
    return read;
  }
}

type Read = ReadHead & { kind: 'head' };

interface Remembered {
  read: Read;
  /** Of the whole head. A copy: the chunk it came in is larger, and would be kept. */
  bytes: Buffer;
  /** Where in them the digits of the content length stand. */
  lengthAt: number;
  lengthEnd: number;
}

function remember(read: Read, bytes: Buffer): Remembered {
  const own = Buffer.from(bytes.subarray(0, read.head.headBytes));
  const { 0: line, index } = /\r\ncontent-length:[ \t]*/i.exec(own.toString('latin1'))!;
  const lengthAt = index + line.length;
  return { read, bytes: own, lengthAt, lengthEnd: digitsEnd(own, lengthAt) };
}

/** Null: it is another head, or not all there. */
function alike(bytes: Buffer, last: Remembered): ReadHead | null {
  const { lengthAt, lengthEnd } = last;
  const { head } = last.read;
  if (bytes.length < lengthAt || last.bytes.compare(bytes, 0, lengthAt, 0, lengthAt) !== 0) return null;
  const end = digitsEnd(bytes, lengthAt);
  const headBytes = end + head.headBytes - lengthEnd;
  if (end === lengthAt || bytes.length < headBytes) return null;
  if (last.bytes.compare(bytes, end, headBytes, lengthEnd, head.headBytes) !== 0) return null;
  const bodyBytes = numberAt(bytes, lengthAt, end);
  if (bodyBytes === head.bodyBytes && headBytes === head.headBytes) return last.read;
  return { kind: 'head', head: { url: head.url, headers: head.headers, headBytes, bodyBytes } };
}

function digitsEnd(bytes: Buffer, from: number): number {
  let end = from;
  while (end < from + MOST_DIGITS && bytes[end]! >= ZERO && bytes[end]! <= NINE) end++;
  return end;
}

function numberAt(bytes: Buffer, from: number, end: number): number {
  let number = 0;
  for (let index = from; index < end; index++) number = number * 10 + bytes[index]! - ZERO;
  return number;
}
