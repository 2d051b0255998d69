import { ANSWERED_BY, type Backend, TIMEOUT_HEADER } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { hastyClock } from '../clock.fixture.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Engine, StartEngine } from '../engine/engine.ts';
import { memoryEngines } from '../engine/memory/index.ts';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, ratioBody, ratioVersion, snapshotOf } from '../serving.fixture.ts';

const MIB = 2 ** 20;
const ENGINE = 100 * MIB;
const ONE = ratioBody([6], [3]);

interface House {
  runtime: RuntimeFixture;
  /** As long as it is closed, no engine can load. */
  gate: { isClosed: boolean; open(): void };
  /** Publishes these routes, and waits until each is applied and all that is named is ready. */
  serve(routes: Record<string, Backend[]>): Promise<void>;
  publish(routes: Record<string, Backend[]>): void;
  ask(model: string, headers?: Record<string, string>): Promise<Response>;
  asleep(): Promise<string[]>;
}

/** A whole runtime with memory for so many engines of 100 MiB; the spare one is counted besides. */
async function house(engines: number, clock: Clock = systemClock): Promise<House> {
  const { gate, start } = gatedEngines();
  const options = { startEngine: start, clock, engineMemoryBytes: (engines + 1) * ENGINE + MIB };
  const runtime = await startRuntimeFixture(options);
  const publish: House['publish'] = routes => {
    const { objects } = ratioVersion();
    for (const [name, bytes] of objects) runtime.controller.objects.set(name, bytes);
    runtime.controller.publish(snapshotOf(routes));
  };
  return {
    runtime,
    gate,
    publish,
    async serve(routes) {
      publish(routes);
      const { generation } = snapshotOf(routes);
      await eventually(async () => {
        const observed = await runtime.observe();
        const isApplied = Object.keys(routes).every(
          model => observed.routes[model as never]?.generation === generation,
        );
        return isApplied && observed.loaded.every(({ state }) => state === 'ready');
      }, 'all being served');
    },
    ask: (model, headers) => runtime.infer(ONE, `/v2/models/${model}/infer`, headers),
    async asleep() {
      const { loaded } = await runtime.observe();
      return loaded.flatMap(({ model, asleep }) => (asleep === true ? [model] : []));
    },
  };
}

function gatedEngines(): { gate: House['gate']; start: StartEngine } {
  let opening = Promise.withResolvers<void>();
  const gate = {
    isClosed: false,
    open() {
      gate.isClosed = false;
      opening.resolve();
      opening = Promise.withResolvers();
    },
  };
  const make = memoryEngines();
  const start: StartEngine = async signal => {
    const inner = await make(signal);
    const engine: Engine = {
      pid: undefined,
      gone: inner.gone,
      async load(request) {
        if (gate.isClosed) await Promise.race([opening.promise, inner.gone]);
        return inner.load(request);
      },
      infer: (rows, timeoutMs) => inner.infer(rows, timeoutMs),
      residentBytes: async () => ENGINE,
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
    return engine;
  };
  return { gate, start };
}

const versionOf = (label: string, weight = 100): Backend => ratioVersion({ label, weight }).backend;
const modelsOf = (...names: string[]): Record<string, Backend[]> =>
  Object.fromEntries(names.map(name => [name, [versionOf(name)]]));

/** Real time, which a test may have go by at once. */
function leapingClock(): Clock & { leap(ms: number): void } {
  let leaptMs = 0;
  return {
    now: () => systemClock.now() + leaptMs,
    elapsed: () => systemClock.elapsed() + leaptMs,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    leap(ms) {
      leaptMs += ms;
    },
  };
}

test('a request for a model asleep is answered once it woke, others go on meanwhile, and all is ready', async () => {
  const { runtime, gate, serve, ask, asleep } = await house(2);
  await serve(modelsOf('a', 'b', 'c'));
  const [sleeper] = await asleep();

  gate.isClosed = true;
  const answer = ask(sleeper!);
  await eventually(async () => (await asleep()).length === 2, 'another one making room');
  const sleeping = await asleep();
  const awake = ['a', 'b', 'c'].find(name => !sleeping.includes(name));
  const others = await Promise.all([awake!, awake!, awake!].map(name => ask(name)));
  const ready = await runtime.get('/v2/health/ready');
  const modelReady = await runtime.get(`/v2/models/${sleeper}/ready`);
  const index = await fetch(`${runtime.address}/v2/repository/index`, {
    method: 'POST',
    headers: { authorization: 'Bearer inference-key-of-the-tests' },
  });
  gate.open();

  expect(others.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect([ready.status, modelReady.status]).toEqual([200, 200]);
  const told = (await index.json()) as { name: string; state: string; reason: string }[];
  expect(told.map(({ state }) => state)).toEqual(['READY', 'READY', 'READY']);
  expect(told.filter(({ reason }) => reason.startsWith('asleep')).map(({ name }) => name)).toEqual(sleeping);
  expect((await answer).status).toBe(200);
  expect(await asleep()).not.toContain(sleeper);
});

test('what a request waits for a version to wake does not count against the version', async () => {
  const clock = leapingClock();
  const { runtime, gate, serve, ask, asleep } = await house(2, clock);
  const routes = modelsOf('a', 'b', 'c');
  await serve(routes);
  const [sleeper] = await asleep();
  const { revision } = routes[sleeper!]![0]!;

  gate.isClosed = true;
  const answer = ask(sleeper!);
  const late = ask(sleeper!, { [TIMEOUT_HEADER]: '40' });
  expect((await late).status).toBe(504);
  clock.leap(5000);
  gate.open();

  expect((await answer).status).toBe(200);
  const { counts } = await runtime.observe();
  // Fast is under a second.
  expect(counts.find(each => each.revision === revision)).toMatchObject({
    attempts: 1,
    failures: 0,
    indicators: { fast: { good: 1, total: 1 }, available: { good: 1, total: 1 } },
  });
});

test('a request for a model that can not be woken soon enough is told when to come again', async () => {
  const { runtime, serve, ask, asleep } = await house(2, hastyClock(20));
  await serve(modelsOf('a', 'c'));
  await serve({ a: [versionOf('a', 90), versionOf('a-next', 10)], ...modelsOf('c') });
  expect(await asleep()).toEqual(['c']);

  const refused = await ask('c');

  expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([503, expect.any(Number)]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ code: 'E_MODEL_NOT_READY' });
  expect((await ask('a')).status).toBe(200);
  expect((await runtime.get('/v2/health/ready')).status).toBe(200);
  expect((await runtime.observe()).counts.every(({ failures }) => failures === 0)).toBe(true);
});

test('a new version of a model asleep takes over, and no request is lost on the way', async () => {
  const { runtime, gate, serve, publish, ask, asleep } = await house(2, hastyClock(10));
  const routes = modelsOf('a', 'b', 'c');
  await serve(routes);
  const [sleeper] = await asleep();

  gate.isClosed = true;
  const early = Array.from({ length: 10 }, () => ask(sleeper!));
  await eventually(async () => (await asleep()).length === 2, 'another one making room');
  publish({ ...routes, [sleeper!]: [versionOf('next')] });
  await eventually(async () => (await runtime.observe()).loaded.length === 4, 'the next one being loaded');
  gate.open();
  const statuses = new Set<number>();
  const isNext = async (): Promise<boolean> => {
    const answers = await Promise.all(['a', 'b', 'c'].map(name => ask(name)));
    for (const { status } of answers) statuses.add(status);
    const answered = answers[['a', 'b', 'c'].indexOf(sleeper!)]!;
    return answered.headers.get(ANSWERED_BY.version) === 'next';
  };
  await eventually(isNext, 'the next version answering');

  expect(new Set((await Promise.all(early)).map(({ status }) => status))).toEqual(new Set([200]));
  expect(statuses).toEqual(new Set([200]));
  await eventually(async () => (await runtime.observe()).loaded.length === 3, 'the old one being unloaded');
});
