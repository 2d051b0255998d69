import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../log.ts';
import { eventually, KEY } from '../serving.fixture.ts';
import { sha256Of } from './access.ts';
import type { Answering } from './answering.ts';
import { inferenceDoor } from './door.ts';
import { findV2 } from './protocol/v2/index.ts';
import { rememberedTargets } from './targets.ts';

const MOST = 1000;
const echo: Answering = async ({ model, version }, { body }) => ({
  status: 200,
  headers: ['content-type', 'text/plain'],
  body: `${model} ${version} ${body}`,
});

interface Sent {
  path?: string;
  headers?: Record<string, string>;
  /** Each is sent by itself; the request ends after the last. */
  chunks?: (string | Buffer)[];
}

/** Sends to a server that is nothing but a door. */
async function startDoor(answer: Answering = echo, isDraining = false) {
  const door = inferenceDoor({
    answer,
    find: rememberedTargets([findV2]),
    keys: () => [sha256Of(KEY)],
    limits: { bodyBytes: MOST },
    isDraining: () => isDraining,
    log: silentLog,
  });
  const server = createServer((incoming, response) => {
    if (!door(incoming, response)) response.writeHead(418).end('not for the door');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return ({ path = '/v2/models/a/infer', headers = {}, chunks = ['x'] }: Sent = {}) => {
    const { port } = server.address() as AddressInfo;
    const sent = request({
      port,
      path,
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${KEY}`, ...headers },
    });
    const answered = new Promise<{ status: number; body: string; headers: IncomingMessage['headers'] }>(
      (resolve, reject) => {
        sent.on('error', reject).on('response', response => {
          let body = '';
          response.setEncoding('utf8').on('data', chunk => {
            body += chunk;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode!, body, headers: response.headers }),
          );
        });
      },
    );
    for (const chunk of chunks) sent.write(chunk);
    sent.end();
    return { sent, answered };
  };
}

describe('the door', () => {
  test.each([
    ['a model', '/v2/models/a/infer', 'a null x'],
    ['a version', '/v2/models/a/versions/1.0.0/infer', 'a 1.0.0 x'],
    ['a query', '/v2/models/a/infer?trace=1', 'a null x'],
    ['a slash at the end', '/v2/models/a/infer/', 'a null x'],
  ])('takes an address with %s', async (_, path, body) => {
    const post = await startDoor();

    expect(await post({ path }).answered).toMatchObject({ status: 200, body });
  });

  test('leaves other addresses to others', async () => {
    const post = await startDoor();

    expect(await post({ path: '/v2/models/a' }).answered).toMatchObject({ status: 418 });
  });

  test('puts chunks together, and undoes what compressed them', async () => {
    const post = await startDoor();
    const packed = gzipSync('packed');

    expect((await post({ chunks: ['a', 'b', 'c'] }).answered).body).toBe('a null abc');
    const gzip = post({
      headers: { 'content-encoding': 'gzip' },
      chunks: [packed.subarray(0, 5), packed.subarray(5)],
    });
    expect((await gzip.answered).body).toBe('a null packed');
    const deflate = post({ headers: { 'content-encoding': ' Deflate' }, chunks: [deflateSync('flat')] });
    expect((await deflate.answered).body).toBe('a null flat');
  });

  test('refuses a body beyond the limit without reading on, however it comes (H02, H06)', async () => {
    const post = await startDoor();
    const large = 'x'.repeat(MOST + 1);

    const stated = await post({ headers: { 'content-length': String(MOST + 1) }, chunks: [large] }).answered;
    const chunked = await post({ chunks: [large.slice(0, 600), large.slice(600)] }).answered;
    const bomb = await post({
      headers: { 'content-encoding': 'gzip' },
      chunks: [gzipSync(Buffer.alloc(10 ** 6))],
    }).answered;

    for (const { status, body } of [stated, chunked, bomb]) {
      expect(status).toBe(413);
      expect(JSON.parse(body)).toMatchObject({ code: 'E_BODY_TOO_LARGE', details: { mostBytes: MOST } });
    }
    expect(stated.headers.connection).toBe('close');
  });

  test.each([
    ['is not what it says it is', 'gzip', 400, 'E_BODY', 'is no valid gzip'],
    ['is packed in another way', 'br', 415, 'E_MEDIA_TYPE', 'gzip and deflate are understood'],
  ])('says what is amiss with a body that %s', async (_, encoding, expected, code, words) => {
    const post = await startDoor();

    const { status, body } = await post({ headers: { 'content-encoding': encoding } }).answered;

    expect(status).toBe(expected);
    expect(JSON.parse(body)).toMatchObject({ code, error: expect.stringContaining(words) });
  });

  test('closes the connection after its answer while draining', async () => {
    const post = await startDoor(echo, true);

    expect((await post().answered).headers.connection).toBe('close');
  });

  test('knows whose caller has hung up (H18)', async () => {
    const waiting = Promise.withResolvers<void>();
    let isGone: (() => boolean) | undefined;
    const post = await startDoor(async (_, __, caller) => {
      isGone = () => caller.isGone;
      await waiting.promise;
      return { status: 200, headers: [], body: '' };
    });
    const { sent, answered } = post();
    answered.catch(() => {});
    await eventually(() => isGone !== undefined, 'the request');
    expect(isGone!()).toBe(false);

    sent.destroy();

    await eventually(() => isGone!(), 'the news');
    waiting.resolve();
  });

  test('writes what is not ASCII as UTF-8', async () => {
    const post = await startDoor(async () => ({ status: 200, headers: [], body: '“ä”' }));

    expect((await post().answered).body).toBe('“ä”');
  });
});
