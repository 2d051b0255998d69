import { TIMEOUT_HEADER } from '@switchback-ml/schemas';
import type { Head } from '../front/lane/head.ts';
import { HOP_BY_HOP } from './answer-head.ts';

/** What a client says of where it comes from is not passed on: what we say of it is. */
const CLAIMED: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]);

/** Whether a header of a request goes on to the runtime as it is. Its name is in lower case. */
export function isPassedOn(name: string): boolean {
  return !HOP_BY_HOP.has(name) && !CLAIMED.has(name) && name !== 'expect';
}

/** The head of the same request, for a runtime. `timeoutMs`: what is left, where the caller named a time. */
export function forwardedHead(head: Head, path: string, peer: string, timeoutMs: number | null): Buffer {
  let text = `POST ${path} HTTP/1.1\r\n`;
  for (const [name, value] of head.headers) {
    if (!isPassedOn(name)) continue;
    text += `${name}: ${name === TIMEOUT_HEADER && timeoutMs !== null ? timeoutMs : value}\r\n`;
  }
  const length = `content-length: ${head.bodyBytes}\r\n`;
  return Buffer.from(`${text}${length}x-forwarded-for: ${peer}\r\n\r\n`, 'latin1');
}
