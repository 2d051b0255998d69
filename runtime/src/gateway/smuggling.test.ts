import { describe, expect, test } from 'vitest';
import { eventually } from '../serving.fixture.ts';
import {
  answerJson,
  type GatewayFixture,
  INFER,
  post,
  rawClient,
  ready,
  type ScriptedRuntime,
  startGatewayFixture,
  startScripted,
} from './gateway.fixture.ts';
import type { GatewayOptions } from './gateway.ts';

const SMUGGLED = post('smuggled', { path: '/v2/models/smuggled/infer' });

async function echoing(
  options: Partial<GatewayOptions> = {},
): Promise<{ runtime: ScriptedRuntime; gateway: GatewayFixture }> {
  const runtime = await startScripted((_, response, body) => answerJson(response, 200, body));
  const gateway = await startGatewayFixture([runtime.address], options);
  await ready(gateway);
  return { runtime, gateway };
}

const request = (lines: readonly string[], body: string, end = '\r\n'): string =>
  `${[`POST ${INFER} HTTP/1.1`, 'host: a', ...lines].join(end)}${end}${end}${body}`;

describe('of one request none is made two, and nobody gets the answer of another (H03)', () => {
  test.each([
    [
      'a length and chunks',
      request(
        [`content-length: ${SMUGGLED.length + 5}`, 'transfer-encoding: chunked'],
        `0\r\n\r\n${SMUGGLED}`,
      ),
    ],
    [
      'chunks and a length',
      request(['transfer-encoding: chunked', 'content-length: 4'], `5c\r\n${SMUGGLED}\r\n0\r\n\r\n`),
    ],
    [
      'chunks twice',
      request(['transfer-encoding: chunked', 'transfer-encoding: identity'], `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'chunks in a list',
      request(['transfer-encoding: chunked, identity', 'content-length: 5'], `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'chunks behind a tab',
      request(['transfer-encoding:\x0bchunked', 'content-length: 5'], `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'chunks with a space before the colon',
      request(['transfer-encoding : chunked', 'content-length: 5'], `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'chunks on a folded line',
      request(['transfer-encoding:', ' chunked', 'content-length: 5'], `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'chunks behind a bare line feed',
      request(['x: y\ntransfer-encoding: chunked', 'content-length: 5'], `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'chunks behind a bare carriage return',
      request(['x: y\rtransfer-encoding: chunked', 'content-length: 5'], `0\r\n\r\n${SMUGGLED}`),
    ],
    ['chunks behind a NUL', request(['x: y\0', 'content-length: 5'], `0\r\n\r\n${SMUGGLED}`)],
    ['lines that end in a line feed alone', request(['content-length: 0'], SMUGGLED, '\n')],
    [
      'a head that ends in line feeds alone',
      `POST ${INFER} HTTP/1.1\nhost: a\ncontent-length: 3\n\n${SMUGGLED}`,
    ],
    [
      'a chunk that ends in a line feed alone',
      request(['transfer-encoding: chunked'], `3\nabc\n0\n\n${SMUGGLED}`),
    ],
    ['a chunk longer than said', request(['transfer-encoding: chunked'], `2\r\nabc\r\n0\r\n\r\n${SMUGGLED}`)],
    [
      'a chunk with a size that wraps around',
      request(['transfer-encoding: chunked'], `10000000000000000\r\n\r\n${SMUGGLED}`),
    ],
    ['a chunk with a negative size', request(['transfer-encoding: chunked'], `-1\r\n${SMUGGLED}`)],
    [
      'a chunk extension with a line feed',
      request(['transfer-encoding: chunked'], `1;a\nb\r\nx\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'chunk extensions without end',
      request(['transfer-encoding: chunked'], `1;${'a'.repeat(20_000)}\r\nx\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'two lengths that differ',
      request(['content-length: 0', `content-length: ${SMUGGLED.length}`], SMUGGLED),
    ],
    ['a list of lengths', request([`content-length: 0, ${SMUGGLED.length}`], SMUGGLED)],
    ['a length in hexadecimal', request(['content-length: 0x0'], SMUGGLED)],
    ['a length and more', request(['content-length: 0 1'], SMUGGLED)],
    ['a length that is too large to be one', request(['content-length: 18446744073709551616'], SMUGGLED)],
    [
      'a second request in a header',
      request([`x: ${SMUGGLED.split('\r\n')[0]}\n\n`, 'content-length: 0'], ''),
    ],
    ['two hosts', request(['host: b', 'content-length: 0'], '')],
  ])('%s', async (_, bytes) => {
    const { runtime, gateway } = await echoing();
    const attacker = await rawClient(gateway.address);
    const victim = await rawClient(gateway.address);

    attacker.write(bytes);
    for (let index = 0; index < 3; index++) {
      victim.write(post(`mine ${index}`));
      await eventually(() => victim.text().endsWith(`"mine ${index}"`), 'the answer of the victim');
    }
    await attacker.ended;

    expect(victim.statuses()).toEqual(['200', '200', '200']);
    expect(attacker.text()).not.toContain('mine');
    expect(attacker.statuses().filter(status => status === '200')).toEqual([]);
    expect(runtime.asked.map(({ body }) => body)).toEqual(['mine 0', 'mine 1', 'mine 2']);
  });

  test.each([
    ['chunk extensions', ['transfer-encoding: chunked'], '3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n'],
    [
      'trailers',
      ['transfer-encoding: chunked', 'trailer: x-late'],
      '3\r\nabc\r\n0\r\nx-late: 1\r\nhost: b\r\n\r\n',
    ],
    [
      'headers that the connection names',
      ['connection: keep-alive, authorization', 'authorization: Bearer x', 'content-length: 3'],
      'abc',
    ],
  ])('%s end here: the runtime gets body and length, and nothing of that', async (_, lines, body) => {
    const { runtime, gateway } = await echoing();
    const client = await rawClient(gateway.address);

    client.write(request(lines, body) + post('next'));

    await eventually(() => client.text().endsWith('"next"'), 'both answers');
    const [first] = runtime.asked;
    expect(runtime.asked.map(({ body: heard }) => heard)).toEqual(['abc', 'next']);
    expect(first!.headers).toMatchObject({ 'content-length': '3', host: 'a' });
    for (const name of [
      'transfer-encoding',
      'trailer',
      'x-late',
      'upgrade',
      'http2-settings',
      'authorization',
    ])
      expect(first!.headers).not.toHaveProperty(name);
  });

  test('a wish to change to another protocol is not passed on, and nothing that follows it is read', async () => {
    const { runtime, gateway } = await echoing();
    const client = await rawClient(gateway.address);
    const wish = ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMAAABk'];

    client.write(request([...wish, 'content-length: 3'], 'abc') + SMUGGLED);
    await client.ended;

    expect(client.statuses()).toEqual(['200']);
    expect(client.text()).toMatch(/\r\nconnection: close\r\n/i);
    const [{ headers, body }] = runtime.asked as [ScriptedRuntime['asked'][number]];
    expect(body).toBe('abc');
    expect(runtime.asked).toHaveLength(1);
    for (const name of ['upgrade', 'http2-settings']) expect(headers).not.toHaveProperty(name);
  });

  test('a hundred thousand chunks of a byte are one body', async () => {
    const { runtime, gateway } = await echoing();
    const client = await rawClient(gateway.address);

    client.write(request(['transfer-encoding: chunked'], `${'1\r\nx\r\n'.repeat(100_000)}0\r\n\r\n`));

    await eventually(() => client.statuses()[0] === '200', 'the answer');
    expect(runtime.asked[0]!.body).toBe('x'.repeat(100_000));
  });

  test('a length that is too small makes what is left a request of its own, one that is too large none', async () => {
    const { runtime, gateway } = await echoing({ patienceMs: { rest: 300 } });
    const small = await rawClient(gateway.address);
    const large = await rawClient(gateway.address);

    small.write(`${request(['content-length: 3'], 'abc')}def`);
    large.write(request(['content-length: 300'], 'abc'));
    await Promise.all([small.ended, large.ended]);

    expect(small.statuses()).toEqual(['200', '400']);
    expect(large.statuses()).toEqual([]);
    expect(runtime.asked.map(({ body }) => body)).toEqual(['abc']);
  });
});
