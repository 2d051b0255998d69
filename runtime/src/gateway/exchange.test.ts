import { describe, expect, test } from 'vitest';
import { eventually } from '../serving.fixture.ts';
import {
  answerJson,
  type GatewayFixture,
  INFER,
  post,
  type RawClient,
  rawClient,
  type ScriptedRuntime,
  standing,
  startGatewayFixture,
  startScripted,
} from './gateway.fixture.ts';

const sound = () => startScripted((_, response) => answerJson(response, 200, 'sound'));
const saying = (status: number, code: string) =>
  startScripted((_, response) => answerJson(response, status, { error: 'it is so', code }));

async function before(
  ...runtimes: ScriptedRuntime[]
): Promise<{ gateway: GatewayFixture; client: RawClient }> {
  const gateway = await startGatewayFixture(runtimes.map(({ address }) => address));
  await standing(gateway, 'ready', runtimes.length);
  return { gateway, client: await rawClient(gateway.address) };
}

/** One after the other, by one connection; the second half in chunks, which takes the other way through. */
async function ask(client: RawClient, times: number): Promise<string[]> {
  for (let index = 0; index < times; index++) {
    const chunked = `POST ${INFER} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`;
    client.write(index < times / 2 ? post('x') : chunked);
    await eventually(() => client.statuses().length === index + 1, 'an answer');
  }
  return client.statuses();
}

describe('a request that a runtime does not answer', () => {
  test.each(['E_MODEL_NOT_READY', 'E_ENGINE_DIED'])('is sent to another one after %s', async code => {
    const unready = await saying(503, code);
    const { gateway, client } = await before(unready, await sound());

    const statuses = await ask(client, 20);

    expect(new Set(statuses)).toEqual(new Set(['200']));
    expect(await gateway.metric(/retries_total\{environment="test",result="sent"\} (\d+)/)).toBe(
      unready.asked.length,
    );
  });

  test('is not asked of the runtime again for a moment where its model is not ready', async () => {
    const unready = await saying(503, 'E_MODEL_NOT_READY');
    const { client } = await before(unready, await sound());
    const from = performance.now();

    await ask(client, 20);

    // Once each second.
    expect(unready.asked.length).toBeLessThanOrEqual(Math.ceil((performance.now() - from) / 1000) + 1);
  });

  test.each([
    [503, 'E_SOMETHING'],
    [429, 'E_OVERLOADED'],
    [500, 'E_INTERNAL'],
    [504, 'E_ENGINE_TIMEOUT'],
  ])('gets a %i %s as it is', async (status, code) => {
    const runtimes = [await saying(status, code), await saying(status, code)];
    const { client } = await before(...runtimes);

    expect(new Set(await ask(client, 4))).toEqual(new Set([String(status)]));
    expect(runtimes[0]!.asked.length + runtimes[1]!.asked.length).toBe(4);
    expect(client.text()).toContain(code);
  });

  test('is sent to another one when its connection breaks, and gets the error of the last when none is sound', async () => {
    const breaking = await startScripted((request, _) => void request.socket.destroy());
    const { gateway, client } = await before(breaking, await sound());

    expect(new Set(await ask(client, 20))).toEqual(new Set(['200']));
    expect(breaking.asked.length).toBeGreaterThan(0);
    // Put out after five.
    expect(breaking.asked.length).toBeLessThanOrEqual(6);
    expect(await gateway.metric(/standing="ejected"\} (1)/)).toBe(1);
  });

  test('is answered 503 where nobody else can be asked, and never a third time', async () => {
    const breaking = await Promise.all(
      [1, 2, 3].map(() => startScripted((request, _) => void request.socket.destroy())),
    );
    const { client } = await before(...breaking);

    expect(await ask(client, 2)).toEqual(['503', '503']);
    expect(client.text()).toContain('E_RUNTIME_UNREACHABLE');
    expect(breaking.reduce((sum, { asked }) => sum + asked.length, 0)).toBe(4);
  });

  test('is not sent again once too many were', async () => {
    const all = await Promise.all([1, 2].map(() => saying(503, 'E_ENGINE_DIED')));
    const { gateway, client } = await before(...all);

    const from = performance.now();
    await ask(client, 120);
    const seconds = (performance.now() - from) / 1000;

    const asked = all.reduce((sum, one) => sum + one.asked.length, 0);
    expect(asked - 120).toBe(await gateway.metric(/result="sent"\} (\d+)/));
    // Thirty in each window of ten seconds, and a tenth.
    expect(asked).toBeLessThanOrEqual(120 + 12 + 30 * (Math.floor(seconds / 10) + 2));
    expect(await gateway.metric(/result="spared"\} (\d+)/)).toBeGreaterThan(0);
  });
});

describe('a request that takes long', () => {
  test.each([
    ['plain', post('x', { headers: ['x-switchback-timeout-ms: 150'] })],
    [
      'chunked',
      `POST ${INFER} HTTP/1.1\r\nhost: a\r\nx-switchback-timeout-ms: 150\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
  ])('is 504 after the time that its caller named, and given up (%s)', async (_, bytes) => {
    const hanging = await startScripted(() => {});
    const { client } = await before(hanging);

    client.write(bytes);

    await eventually(() => client.statuses()[0] === '504', 'the deadline');
    expect(client.text()).toContain('E_DEADLINE');
    const [{ headers, socket }] = hanging.asked as [ScriptedRuntime['asked'][number]];
    expect(headers['x-switchback-timeout-ms']).toBe('150');
    await eventually(() => socket.destroyed, 'the runtime hearing of it');
  });

  test.each([
    ['plain', post('x')],
    ['chunked', `POST ${INFER} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ])('is cancelled at the runtime when its caller hangs up (%s)', async (_, bytes) => {
    const hanging = await startScripted(() => {});
    const { gateway, client } = await before(hanging);
    client.write(bytes);
    await eventually(() => hanging.asked.length === 1, 'the request');

    client.socket.destroy();

    await eventually(() => hanging.asked[0]!.socket.destroyed, 'the runtime hearing of it');
    await eventually(async () => (await gateway.metric(/result="gone"\} (\d+)/)) === 1, 'the count');
    expect(await gateway.metric(/runtime_requests\{.*\} (\d+)/)).toBe(0);
  });

  test('tells the second runtime how much time is left', async () => {
    const waiting = Promise.withResolvers<void>();
    const slow = await startScripted(
      (request, _) => void waiting.promise.then(() => request.socket.destroy()),
    );
    const { gateway, client } = await before(slow);
    client.write(post('x', { headers: ['x-switchback-timeout-ms: 60000'] }));
    await eventually(() => slow.asked.length === 1, 'the request');
    const other = await sound();
    await gateway.list(
      JSON.stringify({
        runtimes: [slow, other].map(({ address }) => ({ url: address, environment: 'test' })),
      }),
    );
    await standing(gateway, 'ready', 2);

    waiting.resolve();

    await eventually(() => client.statuses()[0] === '200', 'the answer');
    const left = Number(other.asked[0]!.headers['x-switchback-timeout-ms']);
    expect(left).toBeGreaterThan(30_000);
    expect(left).toBeLessThan(60_000);
  });
});

test('requests beyond what a runtime may be given wait, and are answered in their turn', async () => {
  let running = 0;
  let most = 0;
  const runtime = await startScripted((_, response) => {
    most = Math.max(most, ++running);
    setImmediate(() => {
      running--;
      answerJson(response, 200, 'done');
    });
  });
  const gateway = await startGatewayFixture([runtime.address], { mostConnections: 2 });
  await standing(gateway, 'ready', 1);
  const clients = await Promise.all(Array.from({ length: 20 }, () => rawClient(gateway.address)));

  for (const client of clients) client.write(post('x'));

  await eventually(() => clients.every(client => client.statuses()[0] === '200'), 'all answers');
  expect(most).toBeLessThanOrEqual(2);
});

test('a large answer goes through whole to a client that reads slowly', async () => {
  const large = 'y'.repeat(4 * 2 ** 20);
  const runtime = await startScripted((_, response) => answerJson(response, 200, large));
  const { client } = await before(runtime);
  client.socket.pause();
  client.write(post('z'.repeat(2 ** 20)));
  await eventually(() => runtime.asked.length === 1, 'the request');

  client.socket.resume();

  await eventually(() => client.text().endsWith(`${large}"`), 'the whole answer');
  expect(runtime.asked[0]!.body.length).toBe(2 ** 20);
});
