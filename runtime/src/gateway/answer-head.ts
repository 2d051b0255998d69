import { KEEP_ALIVE_MS } from '../front/limits.ts';

/** What stands before the body of a runtime's answer. */
export interface AnswerHead {
  status: number;
  headBytes: number;
  bodyBytes: number;
  /** Whether the runtime gives its connection up after this answer. */
  isLast: boolean;
  /** Whether it may go to the client as it is: all that it says of the connection is what we say ourselves. */
  isOurs: boolean;
  /** Status line and headers, each with its line end, without those that are about the connection. */
  text: string;
}

export type ReadAnswerHead = AnswerHead | 'more' | 'broken';

const MOST_HEAD_BYTES = 16_384;
const END = Buffer.from('\r\n\r\n');
const FIRST = /^HTTP\/1\.1 ([2-5]\d\d) [\x20-\x7e\x80-\xff]*$/;
const LINE = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e\t\x80-\xff]*?)[ \t]*$/;
const LENGTH = /^\d{1,15}$/;
export const KEEP = `keep-alive: timeout=${Math.floor(KEEP_ALIVE_MS / 1000)}`;
const CLOSE = 'connection: close';

/** About the connection that they came by, and of no meaning on another one (RFC 9110, 7.6.1). */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Reads the head of an answer as runtimes send it to inference: HTTP/1.1 with its length stated. Whatever is spelt in
 * another way is broken: where the answer ends must never be a matter of opinion.
 */
export function readAnswerHead(bytes: Buffer): ReadAnswerHead {
  const end = bytes.indexOf(END);
  if (end === -1) return bytes.length > MOST_HEAD_BYTES ? 'broken' : 'more';
  if (end > MOST_HEAD_BYTES) return 'broken';
  const lines = bytes.toString('latin1', 0, end).split('\r\n');
  const first = FIRST.exec(lines[0]!);
  return first === null ? 'broken' : readLines(lines, Number(first[1]), end + END.length);
}

function readLines(lines: readonly string[], status: number, headBytes: number): ReadAnswerHead {
  let text = `${lines[0]}\r\n`;
  let bodyBytes = -1;
  let isLast = false;
  let isOurs = true;
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!;
    const parts = LINE.exec(line);
    if (parts === null) return 'broken';
    const name = parts[1]!.toLowerCase();
    if (name === 'content-length') {
      if (bodyBytes !== -1 || !LENGTH.test(parts[2]!)) return 'broken';
      bodyBytes = Number(parts[2]);
    }
    if (!HOP_BY_HOP.has(name)) {
      text += `${line}\r\n`;
      continue;
    }
    if (name === 'transfer-encoding' || name === 'upgrade') return 'broken';
    if (name === 'connection' && parts[2]!.toLowerCase() !== 'keep-alive') isLast = true;
    isOurs &&= line === KEEP;
  }
  return bodyBytes === -1 ? 'broken' : { status, headBytes, bodyBytes, isLast, isOurs, text };
}

/** The head as it goes to the client. */
export function printAnswerHead({ text }: AnswerHead, isLast: boolean): Buffer {
  return Buffer.from(`${text}${isLast ? CLOSE : KEEP}\r\n\r\n`, 'latin1');
}
