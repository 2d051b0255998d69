import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../clock.ts';
import { silentLog } from '../../log.ts';
import { eventually, KEY, sha256 } from '../../serving.fixture.ts';
import { sha256Of } from '../access.ts';
import type { Answering, HttpAnswer } from '../answering.ts';
import { v2 } from '../protocol/v2/index.ts';
import { openLane, type Patience } from './lane.ts';

const AUTH = `authorization: Bearer ${KEY}`;
const post = (body: string): string =>
  `POST /infer HTTP/1.1\r\nhost: a\r\n${AUTH}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** Each body in brackets, at once. */
const echo = (...[, { body }]: Parameters<Answering>): HttpAnswer => ({
  status: 200,
  headers: ['content-type', 'text/plain'],
  body: `[${body.toString()}]`,
});

interface LaneFixture {
  client: Client;
  open(): Promise<Client>;
  /** Bodies that the lane has handed on to be answered. */
  asked: string[];
  /** Bodies that went to the parser of Node instead. */
  others: string[];
  server: ReturnType<typeof createServer>;
  lane: ReturnType<typeof openLane>;
}

interface Client {
  socket: Socket;
  write(text: string): void;
  /** Bodies of the answers so far, in order. */
  answers(): string[];
  text(): string;
  ended: Promise<unknown>;
}

/** A server whose lane answers each body with itself in brackets. */
async function startLane(
  options: { answer?: Answering; patienceMs?: Partial<Patience>; keys?: () => string[] } = {},
): Promise<LaneFixture> {
  const asked: string[] = [];
  const others: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      others.push(body);
      response.end(`{${body}}`);
    });
  });
  const keys = [sha256Of(KEY)];
  const lane = openLane(server, {
    answer: (target, message, caller) => {
      asked.push(message.body.toString());
      return options.answer?.(target, message, caller) ?? Promise.resolve(echo(target, message, caller));
    },
    find: url => (url === '/infer' ? { protocol: v2, model: 'a', version: null } : null),
    keys: options.keys ?? (() => keys),
    limits: { bodyBytes: 2 ** 20 },
    isDraining: () => false,
    log: silentLog,
    clock: systemClock,
    patienceMs: { request: 60_000, rest: 60_000, reader: 60_000, ...options.patienceMs },
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    lane.stop();
    server.close();
  });
  const open = () => openClient((server.address() as AddressInfo).port);
  return { client: await open(), open, asked, others, server, lane };
}

function countOf(server: LaneFixture['server']): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

async function openClient(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', chunk => {
    text += chunk;
  });
  socket.on('error', () => {});
  return {
    socket,
    write: more => void socket.write(more),
    text: () => text,
    answers: () => [...text.matchAll(/\r\n\r\n([[{].*?[\]}])(?=HTTP|$)/gs)].map(([, body]) => body!),
    ended: once(socket, 'end'),
  };
}

describe('the fast lane', () => {
  test('answers request after request on one connection', async () => {
    const { client, asked, others } = await startLane();

    client.write(post('one'));
    await eventually(() => client.answers().length === 1, 'the first answer');
    client.write(post('two'));

    await eventually(() => client.answers().length === 2, 'the second answer');
    expect(client.answers()).toEqual(['[one]', '[two]']);
    expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain\r\n/);
    expect({ asked, others }).toEqual({ asked: ['one', 'two'], others: [] });
  });

  test('answers requests that come at once, in their order and one at a time', async () => {
    let running = 0;
    let most = 0;
    const { client } = await startLane({
      answer: async (_, { body }) => {
        most = Math.max(most, ++running);
        await new Promise(resolve => setImmediate(resolve));
        running--;
        return { status: 200, headers: [], body: `[${body}]` };
      },
    });

    client.write(['a', 'b', 'c', 'd'].map(body => post(body)).join(''));

    await eventually(() => client.answers().length === 4, 'all answers');
    expect(client.answers()).toEqual(['[a]', '[b]', '[c]', '[d]']);
    expect(most).toBe(1);
  });

  test('puts a request together that comes byte by byte', async () => {
    const { client, asked } = await startLane();
    client.socket.setNoDelay(true);

    for (const byte of post('slow')) {
      client.write(byte);
      await new Promise(resolve => setImmediate(resolve));
    }

    await eventually(() => client.answers().length === 1, 'the answer');
    expect(asked).toEqual(['slow']);
  });

  test('hands the connection over for what is not plain inference, whole and in order (H21)', async () => {
    const { client, asked, others } = await startLane();
    const chunked = `POST /infer HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n`;

    client.write(post('one') + chunked + post('three').replace('/infer', '/else'));

    await eventually(() => client.answers().length === 3, 'all answers');
    expect(client.answers()).toEqual(['[one]', '{two}', '{three}']);
    expect({ asked, others }).toEqual({ asked: ['one'], others: ['two', 'three'] });
  });

  test('hands over a connection whose first byte is not for it', async () => {
    const { client } = await startLane();

    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');

    await eventually(() => client.answers().length === 1, 'the answer');
    expect(client.answers()).toEqual(['{}']);
  });

  test('lets nobody in without a key, and looks again when the keys change', async () => {
    let keys = [sha256Of(KEY)];
    const { client, asked } = await startLane({ keys: () => keys });

    client.write(post('in'));
    await eventually(() => client.answers().length === 1, 'the answer');
    keys = [sha256(Buffer.from('another'))];
    client.write(post('out'));

    await eventually(() => client.text().includes('401 Unauthorized'), 'the refusal');
    expect(asked).toEqual(['in']);
  });

  test('tells whose caller hung up, and answers nobody', async () => {
    const waiting = Promise.withResolvers<void>();
    let wasGone: boolean | null = null;
    const { client, asked, server } = await startLane({
      answer: async (_, __, caller) => {
        await waiting.promise;
        wasGone = caller.isGone;
        return { status: 200, headers: [], body: '[late]' };
      },
    });

    client.write(post('x'));
    await eventually(() => asked.length === 1, 'the request');
    client.socket.destroy();
    await eventually(async () => (await countOf(server)) === 0, 'the hanging up');
    waiting.resolve();

    await eventually(() => wasGone !== null, 'the answer');
    expect(wasGone).toBe(true);
  });

  test('cuts off who sends a part and no more, and who sends nothing (H04)', async () => {
    const { client, open } = await startLane({ patienceMs: { request: 10, rest: 10 } });
    const silent = await open();

    client.write(post('half').slice(0, -2));

    await Promise.all([client.ended, silent.ended]);
    expect(client.text() + silent.text()).toBe('');
  });

  test('takes nothing more from a client that does not read, and cuts it off (H04)', async () => {
    const large = 'x'.repeat(2 ** 20);
    const { client, asked, server } = await startLane({
      patienceMs: { reader: 10 },
      answer: async () => ({ status: 200, headers: [], body: large }),
    });
    client.socket.pause();

    for (let i = 0; i < 64; i++) client.write(post('x'));

    await eventually(() => asked.length > 0, 'the first request');
    await eventually(async () => (await countOf(server)) === 0, 'the cut');
    expect(asked.length).toBeLessThan(32);
  });

  test('takes nothing more from a client that does not read until it does, where each is answered at once', async () => {
    const large = 'x'.repeat(2 ** 18);
    const { client, open, asked } = await startLane({
      answer: (...call) => (call[1].body.length > 1 ? echo(...call) : { ...echo(...call), body: large }),
    });
    const other = await open();
    client.socket.pause();
    client.write(post('x').repeat(2));
    await eventually(() => asked.length > 0, 'the first request');

    for (let i = 1; i <= 200; i++) {
      client.write(post('x'));
      other.write(post('between'));
      await eventually(() => other.answers().length === i, 'the answer to another');
    }

    expect(asked.filter(body => body === 'x').length).toBeLessThan(100);
    client.socket.resume();
    await eventually(() => asked.length === 402 && client.socket.bytesRead > 202 * 2 ** 18, 'the rest');
  });

  test('sends the last answer whole when it drains, and runs nothing that came behind it', async () => {
    const first = Promise.withResolvers<void>();
    const large = 'x'.repeat(2 ** 23);
    const { client, asked, lane } = await startLane({
      answer: async (_, { body }) => {
        if (body.toString() === 'a') await first.promise;
        return { status: 200, headers: [], body: large };
      },
    });
    client.write(post('a'));
    await eventually(() => asked.length === 1, 'the first request');
    client.socket.pause();
    client.write(post('b') + post('c'));

    lane.drain();
    first.resolve();
    for (let i = 0; i < 5; i++) client.write(post('d'));
    client.socket.resume();
    await client.ended;

    expect(client.text().length).toBeGreaterThan(2 ** 23);
    expect(client.text().match(/HTTP\/1.1/g)).toHaveLength(1);
    expect(asked).toEqual(['a']);
  });

  test('answers a request of which a part had come when it began to drain', async () => {
    const { client, open, asked, lane } = await startLane({ answer: echo });
    const [head, tail] = [post('whole').slice(0, -2), post('whole').slice(-2)];
    client.write(head);
    // Whoever is answered on another connection after that was heard after it.
    const other = await open();
    other.write(post('other'));
    await eventually(() => other.answers().length === 1, 'the answer to another');

    lane.drain();
    client.write(tail);
    await client.ended;

    expect(asked).toEqual(['other', 'whole']);
    expect(client.text()).toMatch(/connection: close[\s\S]*\[whole\]$/);
  });

  test('waits for nobody any more once all connections of its server are to be closed', async () => {
    const waiting = new Promise<never>(() => {});
    const { client, open, asked, server } = await startLane({ answer: () => waiting });
    const idle = await open();
    client.write(post('x'));
    await eventually(() => asked.length === 1, 'the request');

    server.closeAllConnections();

    await Promise.all([client.ended, idle.ended]);
  });

  test('answers any number that came together, at once and in order', async () => {
    const { client, others } = await startLane({ answer: echo });
    const bodies = Array.from({ length: 20_000 }, (_, index) => String(index));

    client.write(bodies.map(post).join(''));
    await eventually(() => client.text().endsWith('[19999]'), 'the last answer');

    expect(client.answers()).toEqual(bodies.map(body => `[${body}]`));
    expect(others).toEqual([]);
  });

  test('gives up idle connections when it drains, and busy ones after their answer', async () => {
    const waiting = Promise.withResolvers<void>();
    const { client, open, asked, lane } = await startLane({
      answer: async () => {
        await waiting.promise;
        return { status: 200, headers: [], body: '[busy]' };
      },
    });
    const idle = await open();
    client.write(post('x'));
    await eventually(() => asked.length === 1, 'the request');

    lane.drain();
    await idle.ended;
    waiting.resolve();

    await client.ended;
    expect(client.answers()).toEqual(['[busy]']);
    expect(client.text()).toContain('connection: close');
  });

  test('understands a compressed body, and refuses one that grows too large (H06)', async () => {
    const { gzipSync } = await import('node:zlib');
    const { client, asked } = await startLane();
    const send = (body: Buffer): void => {
      client.write(
        `POST /infer HTTP/1.1\r\nhost: a\r\n${AUTH}\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      client.socket.write(body);
    };

    send(gzipSync('packed'));
    await eventually(() => client.answers().length === 1, 'the answer');
    send(gzipSync(Buffer.alloc(2 ** 21)));

    await eventually(() => client.text().includes('413'), 'the refusal');
    expect(asked).toEqual(['packed']);
  });
});
