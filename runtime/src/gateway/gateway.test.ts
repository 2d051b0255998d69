import { Agent, request } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, KEY, ratioBody } from '../serving.fixture.ts';
import {
  answerJson,
  INFER,
  listOf,
  post,
  rawClient,
  ready,
  standing,
  startGatewayFixture,
  startScripted,
} from './gateway.fixture.ts';

const PREDICT = '{"inputs": {"numerator": [6], "denominator": [3]}}';
const AUTH = { authorization: `Bearer ${KEY}` };

describe('one address before many runtimes', () => {
  test('answers of real runtimes come through as they are, from every protocol and every address that is offered', async () => {
    const runtime = await startRuntimeFixture();
    await runtime.serve({});
    const gateway = await startGatewayFixture([runtime.address]);
    await standing(gateway, 'ready', 1);
    const asked: [string, RequestInit][] = [
      [INFER, { method: 'POST', headers: AUTH, body: ratioBody([6], [3]) }],
      [INFER, { method: 'POST', body: ratioBody([6], [3]) }],
      ['/v2/models/ratio/versions/9/infer', { method: 'POST', headers: AUTH, body: '{}' }],
      ['/v2/models/ratio/infer', { method: 'POST', headers: AUTH, body: '{' }],
      ['/v1/models/ratio:predict', { method: 'POST', headers: AUTH, body: PREDICT }],
      ['/v1/models/ratio', { headers: AUTH }],
      [
        '/invocations',
        { method: 'POST', headers: { ...AUTH, 'content-type': 'text/csv' }, body: 'numerator\n6' },
      ],
      [
        INFER,
        { method: 'POST', headers: { ...AUTH, 'inference-header-content-length': '2' }, body: '{}\0\x01' },
      ],
      ['/v2', { headers: AUTH }],
      ['/v2/models/ratio', { headers: AUTH }],
      ['/v2/models/ratio/ready', { headers: AUTH }],
      ['/v2/health/ready', {}],
      ['/v2/repository/index', { method: 'POST', headers: AUTH }],
      ['/v2/models/ratio', { method: 'HEAD', headers: AUTH }],
    ];

    for (const [path, init] of asked) {
      const [direct, plain, named] = await Promise.all(
        [runtime.address, gateway.address, `${gateway.address}/test`].map(base => fetch(base + path, init)),
      );

      const expected = { status: direct!.status, body: await direct!.text() };
      expect({ status: plain!.status, body: await plain!.text() }).toEqual(expected);
      expect({ status: named!.status, body: await named!.text() }).toEqual(expected);
      expect(named!.headers.get('x-switchback-revision')).toBe(direct!.headers.get('x-switchback-revision'));
      expect(named!.headers.get('content-type')).toBe(direct!.headers.get('content-type'));
    }
  });

  test('each request of one kept connection goes to a runtime of its own choice', async () => {
    const runtimes = await Promise.all([1, 2, 3].map(() => startRuntimeFixture()));
    await Promise.all(runtimes.map(runtime => runtime.serve({})));
    const gateway = await startGatewayFixture(runtimes.map(({ address }) => address));
    await standing(gateway, 'ready', 3);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());

    const attempts = (): Promise<number[]> =>
      Promise.all(runtimes.map(async runtime => (await runtime.observe()).counts[0]?.attempts ?? 0));
    let sent = 0;
    await eventually(async () => {
      for (let more = 0; more < 30; more++, sent++)
        expect(await send(agent, gateway.address + INFER, ratioBody([6], [3]))).toBe(200);
      return (await attempts()).every(each => each >= 5);
    }, 'requests to each of them');

    expect((await attempts()).reduce((sum, each) => sum + each)).toBe(sent);
    expect(await gateway.metric(/requests_total\{environment="test",result="2xx"\} (\d+)/)).toBe(sent);
    expect(await gateway.metric(/client_connections (\d+)/)).toBe(1);
  });

  test('keeps what is not for callers out of reach, and answers for itself', async () => {
    const runtime = await startScripted((_, response) => answerJson(response, 200, 'reached'));
    const gateway = await startGatewayFixture([runtime.address]);
    await ready(gateway);
    const closed = [
      '/runtime/v1/observation',
      '/test/metrics',
      '/test/healthz',
      '/other/v2/models',
      '/',
      '/test',
    ];

    for (const path of closed) expect((await fetch(gateway.address + path)).status).toBe(404);

    expect(runtime.asked).toEqual([]);
    expect(await (await fetch(`${gateway.address}/healthz`)).json()).toEqual({ ok: true });
    expect(await (await fetch(`${gateway.address}/readyz`)).json()).toEqual({
      ready: true,
      environments: { test: true },
    });
  });

  test('says which environment nobody answers for, in the shape of the protocol', async () => {
    const gateway = await startGatewayFixture(['http://127.0.0.1:1']);

    const v2 = await fetch(gateway.address + INFER, { method: 'POST', body: '{}' });
    const mlflow = await fetch(`${gateway.address}/invocations`, { method: 'POST', body: '{}' });

    expect(v2.status).toBe(503);
    expect(v2.headers.get('retry-after')).toBe('1');
    expect(await v2.json()).toMatchObject({ code: 'E_RUNTIME_UNREACHABLE', error: /environment test/ });
    expect(mlflow.status).toBe(503);
    expect(await mlflow.json()).toMatchObject({
      error_code: expect.any(String),
      message: expect.any(String),
    });
    expect((await fetch(`${gateway.address}/readyz`)).status).toBe(503);
  });
});

describe('the list of runtimes', () => {
  test('is followed: a runtime that is taken off it ends its requests and gets no new ones', async () => {
    const waiting = Promise.withResolvers<void>();
    const slow = await startScripted(
      (_, response) => void waiting.promise.then(() => answerJson(response, 200, 'slow')),
    );
    const other = await startScripted((_, response) => answerJson(response, 200, 'other'));
    const gateway = await startGatewayFixture([slow.address]);
    await standing(gateway, 'ready', 1);
    const client = await rawClient(gateway.address);
    client.write(post('first'));
    await eventually(() => slow.asked.length === 1, 'the request');

    await gateway.list(listOf([other.address]));
    const listed = /runtime_requests\{environment="test",runtime="([^"]+)"\}/;
    await eventually(
      async () =>
        listed.exec(await (await fetch(`${gateway.address}/metrics`)).text())?.[1] ===
        new URL(other.address).host,
      'the new list',
    );
    const next = await fetch(gateway.address + INFER, { method: 'POST', body: '{}' });
    expect(await next.text()).toBe('"other"');
    waiting.resolve();

    await eventually(() => client.text().endsWith('"slow"'), 'the answer of the first');
    expect(slow.asked).toHaveLength(1);
    await eventually(
      () => new Promise<boolean>(resolve => slow.server.getConnections((_, count) => resolve(count === 0))),
      'its connections being given up',
    );
  });

  test('is kept as it was while the file is no list, and by host name where it says so', async () => {
    const runtime = await startScripted((_, response) => answerJson(response, 200, 'here'));
    const gateway = await startGatewayFixture({
      runtimes: [
        { url: runtime.address, environment: 'prod' },
        { url: 'http://127.0.0.1:1', environment: 'dev' },
      ],
      hosts: { 'prod.models.test': 'prod' },
    });
    await standing(gateway, 'ready', 1);

    await gateway.list('{');
    await eventually(
      () => gateway.metric(/listing_failures_total (\d+)/).then(count => count > 0),
      'a look at it',
    );

    const client = await rawClient(gateway.address);
    client.write(post('x').replace('host: a', 'host: Prod.models.test:80'));
    await eventually(() => client.text().endsWith('"here"'), 'the answer');
    expect((await fetch(`${gateway.address}/prod${INFER}`, { method: 'POST' })).status).toBe(200);
    expect((await fetch(gateway.address + INFER, { method: 'POST' })).status).toBe(404);
  });
});

/** The status. */
function send(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { agent, method: 'POST', headers: { ...AUTH, 'content-length': body.length } },
      answer => answer.resume().once('end', () => resolve(answer.statusCode!)),
    );
    asked.once('error', reject);
    asked.end(body);
  });
}
