import { describe, expect, test } from 'vitest';
import { KEEP, printAnswerHead, readAnswerHead } from './answer-head.ts';

const head = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
const OK = 'HTTP/1.1 200 OK';

describe('reading the head of an answer', () => {
  test('finds where it ends, and leaves out what is about the connection', () => {
    const bytes = head(
      OK,
      'content-type: a',
      'Connection: close',
      'Keep-Alive: timeout=5',
      'Content-Length: 12',
    );

    const read = readAnswerHead(bytes);

    expect(read).toMatchObject({
      status: 200,
      headBytes: bytes.length,
      bodyBytes: 12,
      isLast: true,
      isOurs: false,
    });
    if (typeof read === 'string') return;
    expect(printAnswerHead(read, false).toString()).toBe(
      `${OK}\r\ncontent-type: a\r\nContent-Length: 12\r\n${KEEP}\r\n\r\n`,
    );
    expect(printAnswerHead(read, true).toString()).toContain('connection: close\r\n\r\n');
  });

  test('takes one that says of the connection what we say as it is', () => {
    expect(readAnswerHead(head(OK, 'content-length: 0', KEEP))).toMatchObject({
      isOurs: true,
      isLast: false,
    });
    expect(readAnswerHead(head(OK, 'content-length: 0', `${KEEP}0`))).toMatchObject({ isOurs: false });
  });

  test('waits for a head that is not whole', () => {
    const whole = head(OK, 'content-length: 0');

    for (let end = 0; end < whole.length; end++) expect(readAnswerHead(whole.subarray(0, end))).toBe('more');
  });

  test.each([
    ['two lengths', [OK, 'content-length: 3', 'content-length: 3']],
    ['no length', [OK, 'date: a']],
    ['a list of lengths', [OK, 'content-length: 3, 3']],
    ['chunks', [OK, 'transfer-encoding: chunked']],
    ['both a length and chunks', [OK, 'content-length: 3', 'transfer-encoding: chunked']],
    ['a space before the colon', [OK, 'content-length : 3']],
    ['a line that goes on', [OK, 'content-length: 3', ' 4']],
    ['a bare line feed', [OK, 'a: b\ncontent-length: 4', 'content-length: 3']],
    ['a bare carriage return', [OK, 'a: b\rc: d', 'content-length: 3']],
    ['an interim answer', ['HTTP/1.1 100 Continue']],
    ['another version', ['HTTP/1.0 200 OK', 'content-length: 0']],
    ['no HTTP at all', ['SSH-2.0-x']],
    ['an upgrade', ['HTTP/1.1 200 OK', 'upgrade: h2c', 'content-length: 0']],
    ['a NUL', [OK, 'a: \0', 'content-length: 0']],
    ['a head without end', [OK, `a: ${'b'.repeat(20_000)}`]],
  ])('refuses %s (H03)', (_, lines) => {
    expect(readAnswerHead(head(...lines))).toBe('broken');
  });
});
