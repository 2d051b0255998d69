import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readHead } from './head.ts';
import { HeadMemo } from './memo.ts';

const head = (lines: readonly string[], body = ''): Buffer =>
  Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
const POST = 'POST /v2/models/ratio/infer HTTP/1.1';

describe('reading the head of a request', () => {
  test('takes a plain POST with its length, and says where its body begins and ends', () => {
    const bytes = head([POST, 'Host: a', 'Content-Length: 3', 'X-Key:  b '], 'abcPOST');

    const read = readHead(bytes);

    expect(read.kind).toBe('head');
    if (read.kind !== 'head') return;
    expect(read.head.url).toBe('/v2/models/ratio/infer');
    expect(read.head.headers.get('x-key')).toBe('b');
    expect(bytes.subarray(read.head.headBytes, read.head.headBytes + read.head.bodyBytes).toString()).toBe(
      'abc',
    );
  });

  test.each([
    ['another verb', ['GET /v2 HTTP/1.1', 'host: a']],
    ['HTTP/1.0', ['POST /a HTTP/1.0', 'host: a', 'content-length: 0']],
    ['an absolute address', ['POST http://a/ HTTP/1.1', 'host: a', 'content-length: 0']],
    ['two spaces in the first line', ['POST  /a HTTP/1.1', 'host: a', 'content-length: 0']],
    ['no host', [POST, 'content-length: 0']],
    ['no length', [POST, 'host: a']],
    ['two lengths', [POST, 'host: a', 'content-length: 3', 'content-length: 4']],
    ['a list of lengths', [POST, 'host: a', 'content-length: 3, 3']],
    ['a signed length', [POST, 'host: a', 'content-length: +3']],
    ['a length in hexadecimal', [POST, 'host: a', 'content-length: 0x3']],
    ['a chunked body', [POST, 'host: a', 'transfer-encoding: chunked']],
    ['both a length and chunks', [POST, 'host: a', 'content-length: 3', 'transfer-encoding: chunked']],
    ['chunks under a spelling of its own', [POST, 'host: a', 'content-length: 3', 'Transfer-Encoding : x']],
    ['an expectation', [POST, 'host: a', 'content-length: 3', 'expect: 100-continue']],
    ['a wish to close', [POST, 'host: a', 'content-length: 3', 'connection: close']],
    ['an upgrade', [POST, 'host: a', 'content-length: 3', 'upgrade: h2c', 'connection: upgrade']],
    ['a space before the colon', [POST, 'host : a', 'content-length: 3']],
    ['a line that goes on', [POST, 'host: a', 'x: 1', ' 2', 'content-length: 3']],
    ['a line without a colon', [POST, 'host: a', 'x', 'content-length: 3']],
    ['a bare line feed', [POST, 'host: a\nx: 1', 'content-length: 3']],
    ['a bare carriage return', [POST, 'host: a\rx: 1', 'content-length: 3']],
    ['a NUL', [POST, 'host: a\0', 'content-length: 3']],
    ['a byte above ASCII', [POST, 'host: \xe4', 'content-length: 3']],
    ['the same header twice', [POST, 'host: a', 'authorization: a', 'authorization: b', 'content-length: 3']],
  ])('leaves %s to the parser that knows all of HTTP (H03)', (_, lines) => {
    expect(readHead(head(lines)).kind).toBe('other');
  });

  test('waits for a head that may become one, and gives up on what can not or is too long', () => {
    const whole = head([POST, 'host: a', 'content-length: 0']);

    for (let end = 0; end < whole.length; end++) expect(readHead(whole.subarray(0, end)).kind).toBe('more');
    expect(readHead(Buffer.from('GE')).kind).toBe('other');
    expect(readHead(head([POST, 'host: a', `x: ${'y'.repeat(9000)}`, 'content-length: 0'])).kind).toBe(
      'other',
    );
    expect(readHead(Buffer.from(`${POST}\r\nx: ${'y'.repeat(9000)}`)).kind).toBe('other');
  });

  test('remembers a head and reads another one anew', () => {
    const memo = new HeadMemo();
    const one = head([POST, 'host: a', 'content-length: 1'], 'b');
    const two = head([POST, 'host: a', 'content-length: 2'], 'bc');

    const first = memo.read(one);

    expect(memo.read(one)).toBe(first);
    expect(memo.read(two)).toMatchObject({ head: { bodyBytes: 2 } });
    expect(memo.read(one)).toMatchObject({ head: { bodyBytes: 1 } });
    expect(memo.read(one.subarray(0, 20)).kind).toBe('more');
  });

  test('remembers a head whose body has another length, and all that it says but that', () => {
    const memo = new HeadMemo();
    const withLength = (length: string) => head([POST, 'host: a', `Content-Length:  ${length}`, 'x-key: b']);

    const read = ['9', '10', '1234567890', '0'].map(length => memo.read(withLength(length)));

    const heads = read.map(one => (one.kind === 'head' ? one.head : null));
    expect(heads.map(one => one?.bodyBytes)).toEqual([9, 10, 1234567890, 0]);
    expect(heads.map(one => one?.headBytes)).toEqual(
      ['9', '10', '1234567890', '0'].map(length => withLength(length).length),
    );
    expect(new Set(heads.map(one => one?.headers)).size).toBe(1);
    expect(memo.read(withLength('12345678901')).kind).toBe('other');
    expect(memo.read(withLength('')).kind).toBe('other');
  });

  test('says of every head what it would without having seen another, however alike they are', () => {
    const length = fc.stringMatching(/^[ \t]{0,2}\d{0,12}[ \t]?$/);
    const alike = fc
      .tuple(length, fc.constantFrom('x: y', 'x: 10', 'y: y', ''), fc.nat(160))
      .map(([digits, last, cut]) => {
        const lines = [POST, 'host: a', `content-length:${digits}`, ...(last === '' ? [] : [last])];
        return head(lines, 'body').subarray(0, cut < 80 ? cut : undefined);
      });

    fc.assert(
      fc.property(fc.array(fc.oneof(alike, mangledRequest()), { maxLength: 6 }), all => {
        const memo = new HeadMemo();
        for (const bytes of all) expect(memo.read(bytes)).toEqual(readHead(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('agrees with the parser of Node about every head that it takes, however mangled (H03)', async () => {
    const heard: { url: string; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('latin1').on('data', chunk => {
        body += chunk;
      });
      request.on('end', () => {
        heard.push({ url: request.url!, body });
        response.end();
      });
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    let taken = 0;

    await fc.assert(
      fc.asyncProperty(mangledRequest(), async bytes => {
        const read = readHead(bytes);
        if (read.kind !== 'head' || bytes.length < read.head.headBytes + read.head.bodyBytes) return;
        taken++;
        heard.length = 0;

        await send(port, bytes.subarray(0, read.head.headBytes + read.head.bodyBytes));

        const { url, headBytes, bodyBytes } = read.head;
        expect(heard).toEqual([{ url, body: bytes.toString('latin1', headBytes, headBytes + bodyBytes) }]);
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(taken).toBeGreaterThan(30);
  });
});

/** A request in order, with a few bytes of it changed, doubled or taken out. */
function mangledRequest(): fc.Arbitrary<Buffer> {
  const piece = fc.constantFrom('\r', '\n', ' ', ':', '\t', '0', '9', '\0', '\r\n', 'x: y\r\n', ',', '-');
  const edit = fc.record({ at: fc.nat(140), remove: fc.nat(2), insert: fc.option(piece, { nil: '' }) });
  const text = head([POST, 'Host: a', 'Accept: */*', 'Content-Length: 5', 'X-Trace: 12'], 'abcde').toString(
    'latin1',
  );
  return fc.array(edit, { maxLength: 2 }).map(edits => {
    let edited = text;
    for (const { at, remove, insert } of edits)
      edited = edited.slice(0, at) + insert + edited.slice(at + remove);
    return Buffer.from(edited, 'latin1');
  });
}

/** Resolves once the other side has answered whole, or hung up. */
function send(port: number, bytes: Buffer): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', () => socket.end());
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
}
