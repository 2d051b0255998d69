import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import { makeAsyncLog } from '../log.ts';
import { RequestLog, type RequestLogOptions } from './request-log.ts';
import { backend, COMMIT, carrying, REVISION, served } from './served.fixture.ts';
import type { Carrier, Served } from './served.ts';

type Line = { level: number; msg: string; [field: string]: unknown };

/** With a real log into a real file. */
async function make(more: Partial<RequestLogOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-request-log-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'log');
  const log = makeAsyncLog({ component: 'runtime' }, { dest: file, mostBytes: 1 << 20 });
  const clock = steppedClock();
  const requests = new RequestLog({ log, share: 1, linesPerSecond: 100, clock, random: () => 0, ...more });
  const lines = async (): Promise<Line[]> => {
    await log[Symbol.asyncDispose]();
    const text = await readFile(file, 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line));
  };
  return { requests, clock, lines };
}

test('a line says what is needed to follow a request up', async () => {
  const { requests, lines } = await make();
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

  requests.served(served({ id: 'order 7' }), carrying({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` }));

  expect(await lines()).toEqual([
    {
      level: 30,
      time: expect.any(String),
      component: 'runtime',
      msg: 'request was answered',
      model: 'fraud',
      id: 'order 7',
      version: '1',
      revision: REVISION,
      commit: COMMIT,
      protocol: 'v2',
      by: 'weight',
      from: 'engine',
      rows: 1,
      batchRows: 1,
      attempts: 1,
      ms: { parse: 0.02, queue: 0.5, batch: 0.4, run: 2, encode: 0.01, total: 3 },
      bytesIn: 300,
      bytesOut: 200,
      traceId,
    },
  ]);
});

describe('of the requests', () => {
  const cases: [string, Partial<Served>, boolean][] = [
    ['one that was answered', {}, false],
    ['one that the caller spoilt', { code: 'E_INPUT' }, false],
    ['one that was shed', { code: 'E_OVERLOADED' }, false],
    ['one that failed', { code: 'E_ENGINE_DIED' }, true],
    ['one that was late', { code: 'E_ENGINE_TIMEOUT' }, true],
    ['one that no version was ready for', { code: 'E_MODEL_NOT_READY', backend: null }, true],
  ];
  test.each(cases)(
    '%s gets a line without being picked only if it is our failure',
    async (_, more, isLogged) => {
      const { requests, lines } = await make({ share: 0.5, random: () => 0.5 });

      requests.served(served(more), carrying());

      expect(await lines()).toHaveLength(isLogged ? 1 : 0);
      expect(requests.dropped).toBe(0);
    },
  );

  test('the picked share gets a line each', async () => {
    let asked = 0;
    const { requests, lines } = await make({ share: 0.25, random: () => (asked++ % 100) / 100 });

    for (let n = 0; n < 200; n++) requests.served(served(), carrying());

    expect(await lines()).toHaveLength(50);
  });
});

test('no second has more lines than allowed, failures are not crowded out, and what is left out is counted', async () => {
  const { requests, clock, lines } = await make({ linesPerSecond: 10 });
  const second = () => {
    for (let n = 0; n < 100; n++) requests.served(served(), carrying());
    for (let n = 0; n < 30; n++) requests.served(served({ code: 'E_INTERNAL' }), carrying());
  };

  second();
  await clock.advance(999);
  second();
  await clock.advance(1);
  second();

  const written = await lines();
  expect(written.filter(({ msg }) => msg === 'request was answered')).toHaveLength(20);
  expect(written.filter(({ msg }) => msg === 'request failed')).toHaveLength(20);
  expect(requests.dropped).toBe(3 * 130 - 40);
});

test('a header is asked for only by a line that is written', async () => {
  const { requests, lines } = await make({ share: 0, linesPerSecond: 1 });
  let asked = 0;
  const carrier: Carrier = {
    header() {
      asked++;
      return undefined;
    },
  };

  for (let n = 0; n < 10; n++) requests.served(served(), carrier);
  requests.served(served({ code: 'E_INTERNAL' }), carrier);
  requests.served(served({ code: 'E_INTERNAL' }), carrier);

  expect(await lines()).toHaveLength(1);
  expect(asked).toBe(1);
});

const NOISE = '\n{"level":60}\u001b[2J'.repeat(1000);

test('whatever a caller writes as a name, a line stays one short line', async () => {
  const { requests, lines } = await make();

  requests.served(
    served({ model: NOISE, id: NOISE, backend: null, commit: null, code: 'E_MODEL_UNKNOWN' }),
    carrying(),
  );

  const [line] = await lines();
  expect(String(line?.['model'])).toHaveLength(100);
  expect(String(line?.['id'])).toHaveLength(256);
  expect(line).not.toHaveProperty('commit');
});

test('a request of a version that remembers answers is told from one that was run', async () => {
  const { requests, lines } = await make();

  requests.served(served({ backend: backend('2'), from: 'redis' }), carrying());

  expect(await lines()).toMatchObject([{ version: '2', from: 'redis' }]);
});
