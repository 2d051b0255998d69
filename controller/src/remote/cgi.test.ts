import { describe, expect, it } from 'vitest';
import { parseCgiHead } from './cgi.ts';

const HEAD = 'Status: 404 Not Found\r\nContent-Type: text/plain\r\nX-Time: 12:30\r\n\r\n';

describe('parseCgiHead', () => {
  it('waits for the whole head and keeps what came after it', () => {
    const answer = Buffer.from(`${HEAD}body\r\n\r\nmore`);

    for (let end = 0; end < HEAD.length; end++) expect(parseCgiHead(answer.subarray(0, end))).toBeNull();

    expect(parseCgiHead(answer)).toEqual({
      status: 404,
      headers: { 'content-type': 'text/plain', 'x-time': '12:30' },
      rest: Buffer.from('body\r\n\r\nmore'),
    });
  });

  it('takes an answer without a status for 200', () => {
    expect(parseCgiHead(Buffer.from('Expires: never\n\n'))).toMatchObject({ status: 200 });
  });

  it('refuses a head without end', () => {
    expect(() => parseCgiHead(Buffer.alloc(17 * 1024, 'x'))).toThrow();
  });
});
