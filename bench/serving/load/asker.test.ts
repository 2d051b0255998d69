import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Asker } from './asker.ts';

type Answer = (response: ServerResponse) => void;

const NEVER = new AbortController().signal;

/** A server that answers as it is told at the moment, and a caller who asks it. */
async function world(first: Answer): Promise<{
  asker: Asker;
  become: (answer: Answer) => void;
  /** Resolves once so many more have come. */
  requests: (count: number) => Promise<void>;
  connections: () => number;
}> {
  let answer = first;
  let connections = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(response));
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const messages = [{ headers: {}, body: Buffer.from('{}') }];
  const asker = new Asker({ url, messages, read: () => [] }, { everyMs: 1 });
  onTestFinished(async () => {
    server.closeAllConnections();
    await asker[Symbol.asyncDispose]();
    server.close();
  });
  return {
    asker,
    become: next => {
      answer = next;
    },
    requests: async count => {
      for (let seen = 0; seen < count; seen++)
        await once(server, 'request', { signal: AbortSignal.timeout(10_000) });
    },
    connections: () => connections,
  };
}

const says =
  (version: string, status = 200): Answer =>
  response =>
    response.writeHead(status, { 'x-switchback-version': version }).end('{}');

test('the first answer of a version is noted when it has come, on one connection', async () => {
  const { asker, become, requests, connections } = await world(says('1.0.0'));
  await asker.first('1.0.0', NEVER);
  await requests(3);
  const before = performance.now();
  become(says('1.0.1'));

  const at = await asker.first('1.0.1', NEVER);

  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThanOrEqual(performance.now());
  expect(await asker.first('1.0.1', NEVER)).toBe(at);
  expect(connections()).toBe(1);
  expect(asker.failed).toBe(0);
  expect(asker.asked).toBeGreaterThanOrEqual(4);
});

test('an answer that is an error is a failure, whatever version it names', async () => {
  const { asker, become, requests } = await world(says('1.0.1', 503));
  await requests(3);
  become(says('1.0.2'));

  await asker.first('1.0.2', NEVER);

  expect(asker.failed).toBeGreaterThanOrEqual(2);
  expect(asker.failed).toBeLessThan(asker.asked);
  await expect(asker.first('1.0.1', AbortSignal.abort(new Error('given up')))).rejects.toThrow('given up');
});

test('a connection that is cut is a failure, and the next request opens another', async () => {
  const { asker, become, requests, connections } = await world(response => response.destroy());
  await requests(3);
  become(says('1.0.0'));

  await asker.first('1.0.0', NEVER);

  expect(asker.failed).toBeGreaterThanOrEqual(2);
  expect(connections()).toBeGreaterThanOrEqual(3);
});

test('no second request is sent while one is under way', async () => {
  const held: ServerResponse[] = [];
  const { asker, become, requests } = await world(response => void held.push(response));
  await requests(1);
  const later = asker.first('1.0.0', AbortSignal.timeout(50));

  await expect(later).rejects.toThrow('timeout');
  expect(held).toHaveLength(1);

  become(says('1.0.1'));
  says('1.0.0')(held[0]!);
  await asker.first('1.0.1', NEVER);
  expect(await asker.first('1.0.0', NEVER)).toBeGreaterThan(0);
});
