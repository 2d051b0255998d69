import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { eventually } from '../serving.fixture.ts';
import {
  answerJson,
  INFER,
  post,
  rawClient,
  type ScriptedRuntime,
  standing,
  startGatewayFixture,
  startScripted,
} from './gateway.fixture.ts';

type Answer = (response: ServerResponse) => void;

/** Runtimes of which whoever is asked first answers in the first way, and whoever is asked then in the second. */
async function inTurn(count: number, ...answers: Answer[]): Promise<ScriptedRuntime[]> {
  let asked = 0;
  return Promise.all(
    Array.from({ length: count }, () =>
      startScripted((_, response) => answers[Math.min(asked++, answers.length - 1)]!(response)),
    ),
  );
}

/** The head of an answer and a part of its body, and then nothing any more. */
const breakingOff =
  (status: number): Answer =>
  response => {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': 100 });
    response.write('{"half', () => response.socket!.destroy());
  };

const LARGE = 'B'.repeat(300_000);
const addressesOf = (runtimes: readonly ScriptedRuntime[]) => runtimes.map(({ address }) => address);
const chunked = `POST ${INFER} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

describe.each([404, 503])('of a %i that breaks off before its end', status => {
  test.each([
    ['plain', post('x')],
    ['chunked', chunked],
  ])('nothing is mixed with the answer of another runtime (%s)', async (_, bytes) => {
    const runtimes = await inTurn(2, breakingOff(status), response => answerJson(response, 200, LARGE));
    const gateway = await startGatewayFixture(addressesOf(runtimes));
    await standing(gateway, 'ready', 2);
    const client = await rawClient(gateway.address);

    client.write(bytes);

    await eventually(() => client.text().endsWith(`\r\n\r\n"${LARGE}"`), 'the whole answer');
    expect(client.statuses()).toEqual(['200']);
    expect(client.text()).not.toContain('{"half');
    expect(runtimes.map(({ asked }) => asked.length)).toEqual([1, 1]);
  });

  test('nothing is mixed with an error of another runtime, which is looked at whole too', async () => {
    const refused = { error: 'it is so', code: 'E_SOMETHING' };
    const runtimes = await inTurn(2, breakingOff(status), response => answerJson(response, status, refused));
    const gateway = await startGatewayFixture(addressesOf(runtimes));
    await standing(gateway, 'ready', 2);
    const client = await rawClient(gateway.address);

    client.write(post('x'));

    await eventually(() => client.text().endsWith(`\r\n\r\n${JSON.stringify(refused)}`), 'the whole answer');
    expect(client.statuses()).toEqual([String(status)]);
    expect(client.text()).not.toContain('{"half');
  });

  test('nobody gets a length without the bytes: what was asked next has its own answer', async () => {
    const runtimes = await inTurn(1, breakingOff(status));
    const gateway = await startGatewayFixture(addressesOf(runtimes));
    await standing(gateway, 'ready', 1);
    const client = await rawClient(gateway.address);

    client.write(get('/v2/models/ratio') + get('/healthz'));

    await eventually(() => client.statuses().length === 2, 'both answers');
    expect(client.statuses()).toEqual(['503', '200']);
    expect(client.text()).toMatch(/"ok"/);
    const [head, body] = client.text().split('\r\n\r\n') as [string, string];
    expect(body.slice(0, Number(/content-length: (\d+)/i.exec(head)![1]))).toContain('E_RUNTIME_UNREACHABLE');
    // What it did counts against it, as any other connection that it breaks off does.
    expect(runtimes[0]!.asked).toHaveLength(2);
  });
});

test.each([
  [404, 'E_MODEL_UNKNOWN'],
  [503, 'E_MODEL_NOT_READY'],
])('a %i %s is told at once where the only other runtime has no room', async (status, code) => {
  const answer = () =>
    startScripted((request, response) => {
      if (request.url!.includes('missing')) answerJson(response, status, { error: 'it is so', code });
    });
  const runtimes = [await answer(), await answer()];
  const gateway = await startGatewayFixture(addressesOf(runtimes), { mostConnections: 1 });
  await standing(gateway, 'ready', 2);
  const [waiting, mistyped] = [await rawClient(gateway.address), await rawClient(gateway.address)];
  waiting.write(post('x'));
  await eventually(
    async () => (await gateway.metric(/runtime_requests\{.*\} (1)$/m)) === 1,
    'one without room',
  );

  mistyped.write(post('x', { path: '/v2/models/missing/infer' }));

  await eventually(() => mistyped.text().includes(code), 'the answer of the other');
  expect(mistyped.statuses()).toEqual([String(status)]);
  expect(waiting.text()).toBe('');
  // Once for each of the two: nobody waited for room, and asked the same one again.
  expect(runtimes.map(({ asked }) => asked.length)).toEqual([1, 1]);
});
