import { connect } from 'node:net';
import { ANSWERED_BY, InferenceError } from '@switchback-ml/schemas';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, KEY, ratioBody } from '../serving.fixture.ts';

const ONE = ratioBody([6], [3]);
const AUTH = `authorization: Bearer ${KEY}`;

let runtime: RuntimeFixture;
beforeEach(async () => {
  runtime = await startRuntimeFixture();
  await runtime.serve({ label: '1' });
});

/** Sends bytes as they are; gives what came back until `isEnough`, or until the other side closed. */
async function send(text: string, isEnough: (answer: string) => boolean = () => false): Promise<string> {
  const { hostname, port } = new URL(runtime.address);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let answer = '';
  let isClosed = false;
  socket.setEncoding('latin1').on('data', chunk => {
    answer += chunk;
  });
  socket.on('close', () => {
    isClosed = true;
  });
  socket.on('error', () => {});
  socket.write(text, 'latin1');
  await eventually(() => isClosed || isEnough(answer), 'an answer');
  return answer;
}

const post = (lines: readonly string[], body = ONE, path = '/v2/models/ratio/infer'): string =>
  `${[`POST ${path} HTTP/1.1`, 'host: a', AUTH, ...lines].join('\r\n')}\r\n\r\n${body}`;
const length = `content-length: ${ONE.length}`;
const isAnswered = (answer: string): boolean => /\r\n\r\n[{]/.test(answer);
const statusOf = (answer: string): number => Number(answer.split(' ')[1]);

/** Whatever was sent, the next one is served. */
async function expectAlive(): Promise<void> {
  expect((await runtime.infer(ONE)).status).toBe(200);
}

describe('hostile requests', () => {
  test('H01 nobody gets in without a key, with another, or with one that was taken away', async () => {
    const answers = await Promise.all(
      [{}, { authorization: 'Bearer another' }, { authorization: `Basic ${KEY}` }].map(headers =>
        fetch(`${runtime.address}/v2/models/ratio/infer`, { method: 'POST', headers, body: ONE }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });

  test.each([
    ['both a length and chunks', [length, 'transfer-encoding: chunked']],
    ['two lengths', [length, 'content-length: 3']],
    ['a length that is no number', ['content-length: 0x10']],
    ['a header that goes on in the next line', ['x: 1\r\n 2', length]],
    ['a header of more than sixteen kilobytes', [`x: ${'y'.repeat(20_000)}`, length]],
    ['two thousand and more headers', [...Array.from({ length: 3000 }, (_, i) => `x${i}: 1`), length]],
    ['a space before a colon', ['transfer-encoding : chunked', length]],
  ])('H03 %s is refused, and the server lives', async (_, lines) => {
    const answer = await send(post(lines));

    expect([400, 413, 431]).toContain(statusOf(answer));
    expect(answer).not.toContain('"outputs"');
    await expectAlive();
  });

  test('H03 a body in thousands of chunks of a byte is put together', async () => {
    const chunks = [...ONE].map(byte => `1\r\n${byte}\r\n`).join('');

    const answer = await send(post(['transfer-encoding: chunked'], `${chunks}0\r\n\r\n`), isAnswered);

    expect(statusOf(answer)).toBe(200);
  });

  test.each([
    ['that climbs out of a folder', '..%2f..%2fetc%2fpasswd'],
    ['of dots', '..'],
    ['with a NUL', 'a%00b'],
    ['that is no UTF-8', '%ff'],
    ['of ten kilobytes', 'x'.repeat(10_000)],
  ])('H14 a model name %s is no model', async (_, name) => {
    const answer = await send(post([length], ONE, `/v2/models/${name}/infer`), isAnswered);

    expect([400, 404, 414, 431]).toContain(statusOf(answer));
    await expectAlive();
  });

  test('H15 a version that is unknown is told with those that are there', async () => {
    const unknown = await runtime.infer(ONE, '/v2/models/ratio/versions/9.9.9/infer');

    expect(unknown.status).toBe(404);
    expect(InferenceError.parse(await unknown.json()).details).toMatchObject({ versions: ['1'] });
  });

  test('H16 a request id with a line break ends no head, and one of a megabyte is refused', async () => {
    const id = 'a\r\nx-forged: yes';

    const broken = await runtime.infer(JSON.stringify({ ...JSON.parse(ONE), id }));
    const vast = await runtime.infer(JSON.stringify({ ...JSON.parse(ONE), id: 'x'.repeat(2 ** 20) }));

    expect(broken.headers.get('x-forged')).toBe(null);
    expect(await broken.json()).toMatchObject({ id });
    expect(vast.status).toBe(400);
  });

  test('H17 a forged X-Forwarded-For changes nothing', async () => {
    const forged = await runtime.infer(ONE, undefined, { 'x-forwarded-for': '127.0.0.1' });
    const keyless = await fetch(`${runtime.address}/v2/models/ratio/infer`, {
      method: 'POST',
      headers: { 'x-forwarded-for': '127.0.0.1' },
      body: ONE,
    });

    expect([forged.status, keyless.status]).toEqual([200, 401]);
  });

  test('H20 an idempotency key means nothing here: the body alone is answered', async () => {
    const headers = { 'idempotency-key': 'same' };

    const first = await runtime.infer(ONE, undefined, headers);
    const other = await runtime.infer(ratioBody([9], [3]), undefined, headers);

    expect(await first.json()).toMatchObject({ outputs: [{ data: [2] }] });
    expect(await other.json()).toMatchObject({ outputs: [{ data: [3] }] });
  });

  test('H21 HTTP/1.0 is answered and closed', async () => {
    const answer = await send(post([length]).replace('HTTP/1.1', 'HTTP/1.0'));

    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain('"outputs"');
  });

  test.each(['OPTIONS', 'PUT', 'DELETE', 'GET'])('H21 %s is told what the address takes', async method => {
    const answer = await fetch(`${runtime.address}/v2/models/ratio/infer`, {
      method,
      headers: { authorization: `Bearer ${KEY}` },
    });

    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toContain('POST');
  });

  test.each(['TRACE', 'CONNECT', 'BREW'])('H21 %s is refused, and the server lives', async method => {
    const answer = await send(`${method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);

    expect(answer === '' || statusOf(answer) >= 400).toBe(true);
    await expectAlive();
  });

  test('H22 whoever asks first whether to send is told to go on, and answered', async () => {
    const answer = await send(post([length, 'expect: 100-continue']), isAnswered);

    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain(`${ANSWERED_BY.version}: 1`);
  });
});
