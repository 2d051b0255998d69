import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OBSERVATION_PATH, type RuntimeObservation } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../clock.ts';
import { DEV, observationContract, PROD, until, wordOf } from '../observation.contract.ts';
import type { RuntimeAddress } from '../observation.ts';
import { runtimeCounts } from './index.ts';

const TOKEN = 'a-token';

observationContract('runtime counts', async clock => {
  let word: RuntimeObservation | null = null;
  const runtime = await serving((_, response) => {
    if (word === null) response.writeHead(503).end();
    else response.end(JSON.stringify(word));
  });
  const observation = observing(() => [{ environment: PROD, address: runtime.address }], clock);
  return {
    observation,
    say: said => {
      word = said;
    },
    [Symbol.asyncDispose]: async () => {
      await observation[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
});

describe('runtime counts', () => {
  test('a runtime that never answers, and one that never finishes, delay no other', async () => {
    await using silent = await serving(() => {});
    await using dripping = await serving((_, response) => void response.write('{'));
    let at = 0;
    await using answering = await serving((_, response) =>
      response.end(JSON.stringify(wordOf('aaaaaaaa', ++at))),
    );
    await using observation = observing(() => [
      { environment: PROD, address: silent.address },
      { environment: PROD, address: dripping.address },
      { environment: PROD, address: answering.address },
    ]);

    const began = performance.now();
    await until(observation, ({ heard }) => (heard[0]?.observation.at ?? 0) >= 20);

    // Twenty words at 10 ms; waiting once for either of the others would alone take a second each time.
    expect(performance.now() - began).toBeLessThan(5000);
    expect(observation.latest().heard).toHaveLength(1);
  });

  test('asks a runtime that hung again, and hears it once it answers', async () => {
    let asked = 0;
    await using runtime = await serving((_, response) => {
      if (++asked > 1) response.end(JSON.stringify(wordOf('aaaaaaaa', 1)));
    });
    await using observation = observing(() => [{ environment: PROD, address: runtime.address }]);

    const { heard } = await until(observation, latest => latest.heard.length === 1);

    expect(heard[0]?.observation.instanceId).toBe('aaaaaaaa');
    expect(asked).toBeGreaterThan(1);
  });

  const noWords: [string, RequestListener][] = [
    ['an answer that is no observation', (_, response) => response.end('{"instanceId":"aaaaaaaa"}')],
    ['an answer that is no JSON', (_, response) => response.end('<html>')],
    ['an error', (_, response) => response.writeHead(500).end(JSON.stringify(wordOf('aaaaaaaa', 1)))],
    ['another environment', (_, response) => response.end(JSON.stringify(wordOf('aaaaaaaa', 1, DEV)))],
    ['a flood', (_, response) => void flood(response)],
  ];
  test.each(noWords)('takes %s for silence', async (_, answer) => {
    let asked = 0;
    await using strange = await serving((request, response) => {
      asked++;
      answer(request, response);
    });
    await using sound = await serving((_, response) =>
      response.end(JSON.stringify(wordOf('bbbbbbbb', asked))),
    );
    await using observation = observing(() => [
      { environment: PROD, address: strange.address },
      { environment: PROD, address: sound.address },
    ]);

    const { heard } = await until(observation, latest => (latest.heard[0]?.observation.at ?? 0) >= 3);

    expect(heard.map(({ observation }) => observation.instanceId)).toEqual(['bbbbbbbb']);
  });

  test('follows the addresses: begins with new ones, and asks those gone no more', async () => {
    let [first, second] = [0, 0];
    await using old = await serving((_, response) =>
      response.end(JSON.stringify(wordOf('aaaaaaaa', ++first))),
    );
    await using next = await serving((_, response) =>
      response.end(JSON.stringify(wordOf('bbbbbbbb', ++second))),
    );
    const addresses: RuntimeAddress[] = [{ environment: PROD, address: old.address }];
    await using observation = observing(() => addresses);
    await until(observation, ({ heard }) => heard.length === 1);

    addresses.splice(0, 1, { environment: PROD, address: next.address });
    await until(observation, ({ heard }) => heard.length === 2);
    const askedBefore = first;
    const seen = second;
    await until(observation, () => second > seen + 10);

    expect(first).toBeLessThanOrEqual(askedBefore + 1);
    expect(observation.latest().heard).toHaveLength(2);
  });

  test('shows its token on one kept connection, and follows no redirect with it', async () => {
    const seen: { authorization: string | undefined; path: string | undefined }[] = [];
    let connections = 0;
    await using elsewhere = await serving(({ headers, url }, response) => {
      seen.push({ authorization: headers.authorization, path: `elsewhere ${url}` });
      response.end();
    });
    await using redirecting = await serving((_, response) =>
      response.writeHead(307, { location: elsewhere.address }).end(),
    );
    await using runtime = await serving(({ headers, url }, response) => {
      seen.push({ authorization: headers.authorization, path: url });
      response.end(JSON.stringify(wordOf('aaaaaaaa', seen.length)));
    });
    runtime.server.on('connection', () => connections++);
    await using observation = observing(() => [
      { environment: PROD, address: runtime.address },
      { environment: PROD, address: redirecting.address },
    ]);

    await until(observation, ({ heard }) => (heard[0]?.observation.at ?? 0) >= 5);

    expect(new Set(seen.map(({ path }) => path))).toEqual(new Set([OBSERVATION_PATH]));
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(connections).toBe(1);
  });
});

function observing(addresses: () => readonly RuntimeAddress[], clock = systemClock) {
  return runtimeCounts({ addresses, token: TOKEN, intervalMs: 10, clock });
}

interface Serving extends AsyncDisposable {
  server: Server;
  address: string;
}

async function serving(listener: RequestListener): Promise<Serving> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** Valid JSON, but more of it than anybody should read. */
async function flood(response: Parameters<RequestListener>[1]): Promise<void> {
  const spaces = Buffer.alloc(2 ** 20, ' ');
  for (let sent = 0; sent < 20 && !response.destroyed; sent++)
    await new Promise(resolve => response.write(spaces, resolve));
  response.end(JSON.stringify(wordOf('aaaaaaaa', 1)));
}
