import { createServer, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../serving.fixture.ts';
import {
  answerJson,
  INFER,
  listening,
  post,
  rawClient,
  ready,
  standing,
  startGatewayFixture,
  startScripted,
} from './gateway.fixture.ts';

const echo = () => startScripted((_, response, body) => answerJson(response, 200, body));

describe('what clients may try', () => {
  test.each([
    [
      'both a length and chunks',
      `POST ${INFER} HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', `POST ${INFER} HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab`],
    ['a signed length', `POST ${INFER} HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\na`],
    ['a folded header', `POST ${INFER} HTTP/1.1\r\nhost: a\r\nx: 1\r\n 2\r\ncontent-length: 1\r\n\r\na`],
    ['a space before the colon', `POST ${INFER} HTTP/1.1\r\nhost: a\r\ncontent-length : 1\r\n\r\na`],
    ['chunks that are none', `POST ${INFER} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`],
    [
      'another coding of the body',
      `POST ${INFER} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'a head of 20 KiB',
      `POST ${INFER} HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\ncontent-length: 0\r\n\r\n`,
    ],
    [
      'a thousand headers',
      `POST ${INFER} HTTP/1.1\r\nhost: a\r\n${'x-a-rather-long-name: y\r\n'.repeat(1000)}content-length: 0\r\n\r\n`,
    ],
    [
      'a bare line feed in a header',
      `POST ${INFER} HTTP/1.1\r\nhost: a\r\nx: y\nz\r\ncontent-length: 0\r\n\r\n`,
    ],
  ])('%s is refused, and no runtime hears of it (H03)', async (_, bytes) => {
    const runtime = await echo();
    const gateway = await startGatewayFixture([runtime.address]);
    await ready(gateway);
    const client = await rawClient(gateway.address);

    client.write(bytes);

    await client.ended;
    expect(client.text()).toMatch(/^HTTP\/1\.1 4(00|31) /);
    expect(runtime.asked).toEqual([]);
  });

  test('a chunked body goes on with its length, and with it no header that it was smuggled in by (H03)', async () => {
    const runtime = await echo();
    const gateway = await startGatewayFixture([runtime.address]);
    await ready(gateway);
    const client = await rawClient(gateway.address);

    client.write(
      `POST ${INFER} HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, x-gone\r\nx-gone: 1\r\nkeep-alive: 1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    );

    await eventually(() => client.text().endsWith('"abc"'), 'the answer');
    const [{ headers, body }] = runtime.asked as [(typeof runtime.asked)[number]];
    expect(body).toBe('abc');
    expect(headers).toMatchObject({ 'content-length': '3' });
    for (const name of ['transfer-encoding', 'x-gone', 'keep-alive'])
      expect(headers).not.toHaveProperty(name);
  });

  test('a body beyond the limit is 413 before it is read, stated or not (H02)', async () => {
    const runtime = await echo();
    const gateway = await startGatewayFixture([runtime.address]);
    await ready(gateway);
    const stated = await rawClient(gateway.address);
    const chunked = await rawClient(gateway.address);

    stated.write(`POST ${INFER} HTTP/1.1\r\nhost: a\r\ncontent-length: ${9 * 2 ** 20}\r\n\r\n`);
    chunked.write(`POST ${INFER} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`);
    const piece = `${(2 ** 20).toString(16)}\r\n${'x'.repeat(2 ** 20)}\r\n`;
    for (let index = 0; index < 9; index++) chunked.write(piece);

    await eventually(
      () => stated.statuses()[0] === '413' && chunked.statuses()[0] === '413',
      'both refusals',
    );
    expect(runtime.asked).toEqual([]);
    expect(await gateway.metric(/held_bytes (\d+)/)).toBe(0);
  });

  test('who sends a part and no more, or nothing, is cut off, and so is who does not read (H04)', async () => {
    const large = 'x'.repeat(2 ** 20);
    const runtime = await startScripted((_, response) => answerJson(response, 200, large));
    const gateway = await startGatewayFixture([runtime.address], {
      patienceMs: { request: 100, rest: 100, reader: 100 },
    });
    await ready(gateway);
    const [half, silent, deaf] = await Promise.all([1, 2, 3].map(() => rawClient(gateway.address)));

    half!.write(post('half').slice(0, -2));
    deaf!.socket.pause();
    for (let index = 0; index < 64; index++) deaf!.write(post('x'));

    await Promise.all([half!.ended, silent!.ended]);
    await eventually(async () => (await gateway.metric(/client_connections (\d+)/)) === 0, 'the cut');
    expect(runtime.asked.length).toBeLessThan(32);
    expect(half!.text()).toBe('');
  });

  test('by the other way too, who sends a body slowly is told so and cut off, and so is who does not read (H04)', async () => {
    const large = 'x'.repeat(8 * 2 ** 20);
    const runtime = await startScripted((_, response) => answerJson(response, 200, large));
    const gateway = await startGatewayFixture([runtime.address], {
      patienceMs: { request: 300, rest: 300, reader: 300 },
    });
    await ready(gateway);
    const [slow, dripping, deaf] = await Promise.all([1, 2, 3].map(() => rawClient(gateway.address)));
    const chunked = `POST ${INFER} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n`;
    let isCut = false;
    dripping!.socket.on('close', () => {
      isCut = true;
    });

    slow!.write(`${chunked}\r\n1\r\nx\r\n`);
    deaf!.socket.pause();
    deaf!.write(`GET /v2/models HTTP/1.1\r\nhost: a\r\n\r\n`);
    dripping!.write(`${chunked}\r\n`);
    await eventually(() => {
      if (!isCut) dripping!.write('1\r\nx\r\n');
      return isCut || dripping!.statuses().length > 0;
    }, 'the end of patience');
    await Promise.all([slow!.ended, dripping!.ended]);

    expect(slow!.statuses()).toEqual(['408']);
    const [{ socket }] = runtime.asked as [(typeof runtime.asked)[number]];
    await eventually(() => socket.destroyed, 'the runtime being let go');
    expect(runtime.asked).toHaveLength(1);
    expect(await gateway.metric(/held_bytes (\d+)/)).toBe(0);
  });

  test('a client that closes its half is answered nothing, and its request is given up (H04)', async () => {
    const hanging = await startScripted(() => {});
    const gateway = await startGatewayFixture([hanging.address]);
    await ready(gateway);
    const client = await rawClient(gateway.address);
    client.write(post('x'));
    await eventually(() => hanging.asked.length === 1, 'the request');

    client.socket.end();

    await client.ended;
    expect(client.text()).toBe('');
    await eventually(() => hanging.asked[0]!.socket.destroyed, 'the runtime hearing of it');
  });

  test('names that are paths reach no runtime (H14)', async () => {
    const runtime = await echo();
    const gateway = await startGatewayFixture([runtime.address]);
    await ready(gateway);
    const names = ['..', '%2e%2e', 'a%2fb', '%2F', 'a'.repeat(10_000)];

    for (const name of names) {
      const client = await rawClient(gateway.address);
      client.write(post('{}', { path: `/v2/models/${name}/infer` }));
      await eventually(() => client.statuses().length > 0, 'an answer');
      expect(['400', '404', '431']).toContain(client.statuses()[0]);
    }
    expect(runtime.asked).toEqual([]);
  });

  test('where a client says that it comes from is replaced by where it comes from (H17)', async () => {
    const runtime = await echo();
    const gateway = await startGatewayFixture([runtime.address]);
    await ready(gateway);
    const client = await rawClient(gateway.address);
    const claims = [
      'X-Forwarded-For: 1.2.3.4',
      'forwarded: for=1.2.3.4',
      'x-real-ip: 1.2.3.4',
      'x-forwarded-host: b',
    ];

    client.write(post('fast', { headers: claims }));
    await eventually(() => runtime.asked.length === 1, 'the first');
    client.write(post('by Node', { headers: [...claims, 'te: trailers'] }));
    await eventually(() => runtime.asked.length === 2, 'the second');

    for (const { headers } of runtime.asked) {
      expect(headers['x-forwarded-for']).toBe('127.0.0.1');
      expect(JSON.stringify(headers)).not.toMatch(/1\.2\.3\.4|forwarded-host|"te"/);
    }
  });

  test('old versions and odd verbs are answered or refused, never mixed up (H21)', async () => {
    const runtime = await echo();
    const gateway = await startGatewayFixture([runtime.address]);
    await ready(gateway);
    const asked = async (bytes: string): Promise<string> => {
      const client = await rawClient(gateway.address);
      client.write(bytes);
      await eventually(() => client.statuses().length > 0, 'an answer');
      return client.statuses()[0]!;
    };

    expect(await asked(`POST ${INFER} HTTP/1.0\r\ncontent-length: 1\r\n\r\na`)).toBe('200');
    expect(await asked('OPTIONS /v2/models/a HTTP/1.1\r\nhost: a\r\n\r\n')).toBe('200');
    expect(await asked('OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n')).toBe('404');
    expect(await asked('HEAD /v2/models/a HTTP/1.1\r\nhost: a\r\n\r\n')).toBe('200');
    expect(await asked('TRACE /v2/models/a HTTP/1.1\r\nhost: a\r\n\r\n')).toBe('405');
    expect(await asked('BREW /v2/models/a HTTP/1.1\r\nhost: a\r\n\r\n')).toBe('400');
    expect(await asked('GET http://elsewhere/v2 HTTP/1.1\r\nhost: a\r\n\r\n')).toBe('404');
    expect(runtime.asked.map(({ url }) => url)).toEqual([INFER, '/v2/models/a', '/v2/models/a']);
  });

  test('an expectation is met by the gateway, and not passed on (H22)', async () => {
    const runtime = await echo();
    const gateway = await startGatewayFixture([runtime.address]);
    await ready(gateway);
    const client = await rawClient(gateway.address);

    client.write(`POST ${INFER} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n`);
    await eventually(() => client.statuses()[0] === '100', 'the leave to go on');
    client.write('abc');

    await eventually(() => client.text().endsWith('"abc"'), 'the answer');
    expect(runtime.asked[0]!.headers).not.toHaveProperty('expect');
  });

  test('requests that come at once are answered in their order, whichever runtime answers (H03)', async () => {
    const slow = await startScripted(
      (_, response, body) => void setImmediate(() => answerJson(response, 200, body)),
    );
    const quick = await echo();
    const gateway = await startGatewayFixture([slow.address, quick.address]);
    await standing(gateway, 'ready', 2);
    const client = await rawClient(gateway.address);
    const bodies = Array.from({ length: 40 }, (_, index) => `<${index}>`);

    client.write(bodies.map(body => post(body)).join(''));

    await eventually(() => client.text().includes('<39>'), 'all answers');
    expect([...client.text().matchAll(/<\d+>/g)].map(([body]) => body)).toEqual(bodies);
  });
});

describe('what runtimes may do', () => {
  test.each([
    [
      'more bytes than it said',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nabHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['no HTTP', 'hello\r\n\r\n'],
  ])('%s: the connection is given up and another runtime asked', async (_, answer) => {
    const absurd = await startRaw(answer);
    const sound = await echo();
    const gateway = await startGatewayFixture([absurd.address, sound.address]);
    await standing(gateway, 'ready', 2);
    const client = await rawClient(gateway.address);

    for (let index = 0; index < 10; index++) {
      client.write(post(`<${index}>`));
      await eventually(() => client.statuses().length === index + 1, 'an answer');
    }

    expect(client.statuses()).toEqual(Array(10).fill('200'));
    expect(client.text().match(/<\d>/g)).toHaveLength(10);
  });
});

/** A server that is ready, and answers inference with these very bytes. */
async function startRaw(answer: string): Promise<{ address: string; server: Server }> {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', chunk => {
      const isProbe = chunk.toString().startsWith('GET ');
      socket.write(isProbe ? 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n' : answer);
    });
    onTestFinished(() => void socket.destroy());
  });
  onTestFinished(() => void server.close());
  return { address: await listening(server), server };
}
