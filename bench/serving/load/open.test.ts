import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Dialect } from '../subject/subject.ts';
import { failuresOf, openLoad } from './open.ts';

async function serve(listener: RequestListener): Promise<Dialect> {
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/infer`,
    messages: ['first', 'second'].map(text => ({ headers: { 'x-of': text }, body: Buffer.from(text) })),
    read: () => [],
  };
}

const load = (): Parameters<typeof openLoad>[1] => ({
  perSecond: 200,
  forMs: 500.4,
  connections: 50,
  signal: AbortSignal.timeout(30_000),
});

test('sends as many as the schedule says, the messages in turn, each whole', async () => {
  const seen = new Map<string, number>();
  const dialect = await serve((request, response) => {
    let body = '';
    request.on('data', chunk => (body += chunk));
    request.on('end', () => {
      const key = `${request.method} ${request.url} ${request.headers['x-of']} ${body}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      response.end('answer');
    });
  });

  const result = await openLoad(dialect, load());

  expect([result.sent, result.answered.count, failuresOf(result)]).toEqual([100, 100, 0]);
  expect(Object.fromEntries(seen)).toEqual({
    'POST /infer first first': 50,
    'POST /infer second second': 50,
  });
  expect(result.answered.p50Ms).toBeGreaterThan(0);
  expect(result.answered.p50Ms).toBeLessThanOrEqual(result.answered.p99Ms);
});

test('counts refusals by themselves, and broken connections as failures', async () => {
  let count = 0;
  const dialect = await serve((request, response) => {
    count += 1;
    request.resume();
    if (count % 4 === 0) return void request.socket.destroy();
    if (count % 4 === 1) return void response.writeHead(429).end();
    response.end('answer');
  });

  const result = await openLoad(dialect, load());

  expect(result.sent).toBe(100);
  expect([result.answered.count, result.turnedAway.count, failuresOf(result)]).toEqual([50, 25, 25]);
});

test('ends early when it is told to', async () => {
  const dialect = await serve((request, response) => {
    request.resume();
    response.end('answer');
  });
  const stopping = new AbortController();
  const running = openLoad(dialect, { ...load(), forMs: 60_000, stop: stopping.signal });
  const soon = setTimeout(() => stopping.abort(), 300);

  const result = await running;
  clearTimeout(soon);

  expect(result.sent).toBeLessThan(12_000);
  expect(failuresOf(result)).toBe(0);
});

test('rejects when nobody is to be waited for any more', async () => {
  const dialect = await serve(() => {});
  const given = new AbortController();
  const running = openLoad(dialect, { ...load(), signal: given.signal });
  given.abort(new Error('enough'));

  await expect(running).rejects.toThrow();
});
