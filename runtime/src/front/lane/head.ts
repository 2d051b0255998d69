/** What stands before the body of a request that the fast lane takes. */
export interface Head {
  /** As it came, with its query. */
  url: string;
  /** By lower-case name; each is there once. Without `content-length`, which is `bodyBytes`. */
  headers: ReadonlyMap<string, string>;
  headBytes: number;
  bodyBytes: number;
}

export type ReadHead =
  | { kind: 'head'; head: Head }
  /** Not all of it is there. */
  | { kind: 'more' }
  /** It may well be in order, but it is for a parser that knows all of HTTP. */
  | { kind: 'other' };

const MORE: ReadHead = { kind: 'more' };
const OTHER: ReadHead = { kind: 'other' };
const MOST_HEAD_BYTES = 8192;
const END = Buffer.from('\r\n\r\n');
const VERB = 'POST ';
const VERSION = ' HTTP/1.1';

/** Their presence asks for more than "here is a body of so many bytes, answer and keep the connection". */
const UNCOMMON = new Set(['transfer-encoding', 'expect', 'upgrade', 'te', 'trailer', 'proxy-connection']);
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const VALUE = /^[\x20-\x7e\t]*$/;
const URL = /^\/[\x21-\x7e]*$/;
const LENGTH = /^\d{1,10}$/;

/**
 * Reads the head of the one kind of request that matters for speed: a plain HTTP/1.1 POST with its length stated.
 * Whatever is not spelt exactly so is `other`: this takes strictly less than Node's parser does, never more, so that
 * the two can't disagree about where a request ends.
 */
export function readHead(bytes: Buffer): ReadHead {
  const end = bytes.indexOf(END);
  if (end === -1) return bytes.length > MOST_HEAD_BYTES || !mayBegin(bytes) ? OTHER : MORE;
  if (end > MOST_HEAD_BYTES) return OTHER;
  const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const url = readFirst(first!);
  const headers = readHeaders(lines);
  if (url === null || headers === null || !isCommon(headers)) return OTHER;
  const length = headers.get('content-length');
  if (length === undefined || !LENGTH.test(length)) return OTHER;
  headers.delete('content-length');
  return { kind: 'head', head: { url, headers, headBytes: end + END.length, bodyBytes: Number(length) } };
}

/** Whether waiting for the rest can still give something for us. */
function mayBegin(bytes: Buffer): boolean {
  return VERB.startsWith(bytes.toString('latin1', 0, VERB.length));
}

function readFirst(line: string): string | null {
  if (!line.startsWith(VERB) || !line.endsWith(VERSION)) return null;
  const url = line.slice(VERB.length, -VERSION.length);
  return URL.test(url) ? url : null;
}

function readHeaders(lines: readonly string[]): Map<string, string> | null {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !NAME.test(name) || headers.has(name)) return null;
    const value = line.slice(colon + 1);
    if (!VALUE.test(value)) return null;
    headers.set(name, value.trim());
  }
  return headers;
}

function isCommon(headers: ReadonlyMap<string, string>): boolean {
  for (const name of headers.keys()) if (UNCOMMON.has(name)) return false;
  const connection = headers.get('connection');
  return headers.has('host') && (connection === undefined || connection.toLowerCase() === 'keep-alive');
}
