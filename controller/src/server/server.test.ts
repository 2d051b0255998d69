import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { SwitchbackError } from '../error.ts';
import { hostCheck } from './host-check.ts';
import { ProblemDetails } from './problem.ts';
import { endpoint, type Route } from './route.ts';
import { routes } from './routes.ts';
import { makeServer, startServer } from './server.ts';
import { appOf, bearer, kindOf, silentLog, TOKENS, worldWith } from './world.fixture.ts';

const OPTIONS = { host: '127.0.0.1', tokens: { kindOf }, log: silentLog };

describe('the route table', () => {
  test.each(['verb', 'scope', 'bodyLimitBytes', 'endpoint'] as const)(
    'with a route that declares no %s is refused before anything listens',
    async field => {
      await using world = await worldWith();
      const table = routes(world, '1').map(route => ({ ...route }));
      delete (table[7] as Partial<Route>)[field];

      await expect(startServer({ ...OPTIONS, routes: table, port: 0 })).rejects.toThrow(
        /GET \/api\/v1alpha1\/history declares no/,
      );
    },
  );

  test('with a scope that does not hold the verb, or is narrower than it need be, is refused', async () => {
    await using world = await worldWith();
    const [health, ...others] = routes(world, '1') as [Route, ...Route[]];
    const rollback = others.find(({ verb }) => verb === 'rollback') as Route;

    for (const wrong of [
      { ...rollback, scope: 'runtime' as const },
      { ...rollback, scope: 'anybody' as const },
      { ...health, scope: 'operator' as const },
    ])
      expect(() => makeServer({ ...OPTIONS, routes: [wrong] }), wrong.path).toThrow(SwitchbackError);
  });
});

describe('access', () => {
  const CALLERS = {
    nobody: {},
    'a wrong token': { authorization: 'Bearer sbo_wrong' },
    'another scheme': { authorization: `Basic ${Buffer.from(`:${TOKENS.operator}`).toString('base64')}` },
    'the runtime token': bearer('runtime'),
    'the operator token': bearer('operator'),
  };

  test('every route lets in exactly the callers that it is for', async () => {
    await using world = await worldWith();
    await using app = appOf(world);
    for (const { method, path, scope } of routes(world, '1'))
      for (const [caller, headers] of Object.entries(CALLERS)) {
        const { statusCode } = await app.inject({ method, url: urlOf(path), headers });
        expect([401, 403].includes(statusCode) ? statusCode : 'in', `${caller}, ${method} ${path}`).toBe(
          expected(scope, caller),
        );
      }
  });

  test('changes nothing and reads no body for those that it keeps out', async () => {
    await using world = await worldWith();
    await using app = appOf(world);
    const url = '/api/v1alpha1/nudge';

    const unknown = await app.inject({ method: 'POST', url, payload: '{"broken' });
    await app.inject({ method: 'POST', url, headers: bearer('runtime') });

    expect(unknown.statusCode).toBe(401);
    expect(unknown.headers['www-authenticate']).toBe('Bearer');
    expect(world.nudges).toBe(0);
  });

  test('takes a token from the header only', async () => {
    await using world = await worldWith();
    await using app = appOf(world);

    const url = `/api/v1alpha1/status?token=${TOKENS.operator}&access_token=${TOKENS.operator}`;
    const { statusCode } = await app.inject({ url, headers: { cookie: `token=${TOKENS.operator}` } });

    expect(statusCode).toBe(401);
  });

  function expected(scope: string, caller: string): number | 'in' {
    if (scope === 'anybody') return 'in';
    if (!caller.endsWith(' token') || caller === 'a wrong token') return 401;
    return caller === `the ${scope} token` ? 'in' : 403;
  }
});

describe('a problem', () => {
  test.each([
    ['an address that is not there', 'GET', '/api/v1alpha1/nothing', undefined, 404, 'E_NOT_FOUND'],
    ['a method that is not there', 'DELETE', '/api/v1alpha1/status', undefined, 405, 'E_METHOD'],
    ['a path that is no path', 'GET', '/api/v1alpha1/models/%zz/versions', undefined, 400, 'E_BODY'],
    [
      'a name outside the grammar',
      'GET',
      '/api/v1alpha1/models/..%2Fetc/versions',
      undefined,
      404,
      'E_NOT_FOUND',
    ],
    ['an unknown query', 'GET', '/api/v1alpha1/events?aftr=1', undefined, 400, 'E_INPUT'],
    ['too long a wait', 'GET', '/api/v1alpha1/events?wait=31', undefined, 400, 'E_INPUT'],
    ['a body that is not JSON', 'POST', pause(), '{"reason":', 400, 'E_BODY'],
    ['a body that would change prototypes', 'POST', pause(), '{"__proto__":{"by":"x"}}', 400, 'E_BODY'],
    ['an unknown field', 'POST', pause(), '{"reason":"x","force":true}', 400, 'E_INPUT'],
    ['no reason', 'POST', pause(), '{}', 400, 'E_INPUT'],
    ['a reason of two lines', 'POST', pause(), '{"reason":"x\\nSwitchback-By: mei"}', 400, 'E_INPUT'],
    [
      'a person who calls themselves the controller',
      'POST',
      pause(),
      '{"reason":"x","by":"controller"}',
      400,
      'E_INPUT',
    ],
    ['too large a body', 'POST', pause(), JSON.stringify({ reason: 'x'.repeat(5000) }), 413, 'E_BODY'],
  ] as const)('tells of %s in one form', async (_, method, url, payload, status, code) => {
    await using world = await worldWith();
    await using app = appOf(world);
    const headers = { ...bearer('operator'), ...(payload ? { 'content-type': 'application/json' } : {}) };

    const answer = await app.inject({ method, url, headers, ...(payload ? { payload } : {}) });

    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    const problem = ProblemDetails.parse(answer.json());
    expect(problem).toMatchObject({ status, code, type: `urn:switchback:error:${code}` });
    expect(world.asked).toEqual([]);
  });

  test('tells of a form or a plain text, which a web page could send unasked, as of an unknown type', async () => {
    await using world = await worldWith();
    await using app = appOf(world);

    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])
      expect(
        (
          await app.inject({
            method: 'POST',
            url: pause(),
            headers: { ...bearer('operator'), 'content-type': type },
            payload: '{"reason":"x"}',
          })
        ).statusCode,
        type,
      ).toBe(415);
  });

  test('tells nothing of a surprise but that there was one, and the log tells all', async () => {
    const told: unknown[] = [];
    const broken: Route = {
      method: 'GET',
      path: '/broken',
      verb: 'read-health',
      scope: 'anybody',
      bodyLimitBytes: 0,
      endpoint: endpoint({
        summary: '',
        answers: { found: z.null() },
        handle: () => {
          throw new TypeError('secret of the inside');
        },
      }),
    };
    const log = { ...silentLog, error: (...line: unknown[]) => told.push(line) };
    await using app = makeServer({ ...OPTIONS, routes: [broken], log }).app;

    const answer = await app.inject('/broken');

    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(told).toEqual([[{ route: '/broken', reason: 'secret of the inside' }, 'request failed']]);
  });
});

describe('a path', () => {
  test('says which methods it takes, to anybody and before it reads a body', async () => {
    await using world = await worldWith();
    await using app = appOf(world);
    const asked = [
      ['POST', '/api/v1alpha1/status', 'GET'],
      ['HEAD', '/healthz', 'GET'],
      ['GET', pause(), 'POST'],
      ['PUT', pause(), 'POST'],
      ['OPTIONS', pause(), 'POST'],
    ] as const;

    for (const [method, url, allow] of asked) {
      const answer = await app.inject({ method, url, payload: 'x'.repeat(method === 'PUT' ? 9000 : 0) });
      expect(answer.statusCode, `${method} ${url}`).toBe(405);
      expect(answer.headers.allow).toBe(allow);
    }
    expect(world.asked).toEqual([]);
  });

  test('is served under the names of this machine and of no other', async () => {
    await using world = await worldWith();
    await using app = appOf(world);
    const statusUnder = async (host: string) =>
      (await app.inject({ url: '/api/v1alpha1/status', headers: { ...bearer('operator'), host } }))
        .statusCode;

    for (const host of ['localhost', 'LOCALHOST:4180', '127.0.0.1:1', '[::1]:4180', '127.0.0.1'])
      expect(await statusUnder(host), host).toBe(200);
    for (const host of [
      'evil.example',
      'localhost.evil.example:4180',
      '127.0.0.1@evil',
      '127.0.0.1.',
      '0.0.0.0',
      '[::2]',
      'a b',
    ])
      expect(await statusUnder(host), host).toBe(403);
  });

  test('is served under the name that the operator has configured', () => {
    expect(() => hostCheck('controller.internal')('controller.internal:80')).not.toThrow();
    expect(() => hostCheck('::1')('[::1]:80')).not.toThrow();
    expect(() => hostCheck('127.0.0.1')(undefined)).toThrow(/not served under the name ""/);
  });
});

describe('the listener', () => {
  test('tells of what is no HTTP in the form of every other problem', async () => {
    await using world = await worldWith();
    await using server = await startServer({ ...OPTIONS, routes: routes(world, '1'), port: 0 });

    const [head = '', body = ''] = (await sent(server.address, 'HELO \u0000\r\n\r\n')).split('\r\n\r\n');

    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
    expect(ProblemDetails.parse(JSON.parse(body))).toMatchObject({ status: 400, code: 'E_BODY' });
  });

  test('answers at its address, takes an address that is taken for E_PORT_TAKEN, and is gone once disposed', async () => {
    await using world = await worldWith();
    const options = { ...OPTIONS, routes: routes(world, '1') };
    const server = await startServer({ ...options, port: 0 });
    const port = Number(new URL(server.address).port);

    expect(await (await fetch(`${server.address}/healthz`)).json()).toEqual({ alive: true });
    await expect(startServer({ ...options, port })).rejects.toMatchObject({ code: 'E_PORT_TAKEN' });

    await server[Symbol.asyncDispose]();
    await expect(fetch(`${server.address}/healthz`)).rejects.toThrow();
  });

  test('refuses headers beyond its limit and lives on', async () => {
    await using world = await worldWith();
    await using server = await startServer({
      ...OPTIONS,
      routes: routes(world, '1'),
      port: 0,
    });

    expect(await statusOf(`${server.address}/healthz`, { 'x-long': 'x'.repeat(20_000) })).toBe(431);
    expect(await statusOf(`${server.address}/healthz`, {})).toBe(200);
  });
});

function pause(): string {
  return '/api/v1alpha1/environments/prod/models/screening/pause';
}

function urlOf(path: string): string {
  return path
    .replace(':environment', 'prod')
    .replace(':model', 'screening')
    .replace(':sha256', '0'.repeat(64));
}

/** All that comes back to these bytes until the other side hangs up. */
function sent(address: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    connect(Number(new URL(address).port), '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (text: string) => {
        answer += text;
      })
      .on('end', () => resolve(answer))
      .on('error', reject)
      .write(bytes);
  });
}

function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, response => {
      response.resume().on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
}
