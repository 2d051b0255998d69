import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerReader } from './answer-reader.ts';

const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 429 Too Many\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
const LAST = 'HTTP/1.1 503 Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

const cases: [string, string, { status: number; isOpen: boolean }][] = [
  ['an answer of a known length', PLAIN, { status: 200, isOpen: true }],
  ['an answer in chunks', CHUNKED, { status: 429, isOpen: true }],
  ['an answer after which the connection ends', LAST, { status: 503, isOpen: false }],
];

test.each(cases)('reads %s, wherever it was cut', (_, text, want) => {
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: bytes.length - 1 }), cut => {
      const read = answerReader();

      expect(read(bytes.subarray(0, cut))).toBeNull();
      expect(read(bytes.subarray(cut))).toEqual(want);
    }),
  );
});

test('reads one answer after another over the same connection', () => {
  const read = answerReader();

  expect(read(Buffer.from(PLAIN))?.status).toBe(200);
  expect(read(Buffer.from(CHUNKED))?.status).toBe(429);
});

test('refuses what is no HTTP', () => {
  expect(() => answerReader()(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n\r\n'))).toThrow('no HTTP/1.1');
});
