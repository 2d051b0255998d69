import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, type ModelName, VersionDigest, versionText } from '@switchback-ml/schemas';
import { expect, onTestFinished, test } from 'vitest';
import { memoryArtifacts } from '../artifact/memory/index.ts';
import { systemClock } from '../clock.ts';
import type { Engine, StartEngine } from '../engine/engine.ts';
import { memoryEngines } from '../engine/memory/index.ts';
import type { Tensor, Tensors } from '../engine/tensor.ts';
import { LoadedSet } from '../loaded-set.ts';
import { silentLog } from '../log.ts';
import { eventually, ratioVersion, sha256, snapshotOf } from '../serving.fixture.ts';
import { Serving } from '../serving.ts';
import { Supervisor } from '../supervisor.ts';
import type { Revision } from './revision.ts';

const MIB = 2 ** 20;
const ENGINE = 100 * MIB;

const column = (value: number): Tensor => ({
  datatype: 'FP32',
  shape: [1, 1],
  data: Float32Array.of(value),
});
const inputs = (): Tensors =>
  new Map([
    ['numerator', column(6)],
    ['denominator', column(3)],
  ]);

interface House {
  loaded: LoadedSet;
  serving: Serving;
  stateDir: string;
  /** Those that run, the spare among them. */
  engines: Set<Engine>;
  /** Of those that were loaded. */
  most: () => number;
  /** A test may have engines die while they load. */
  world: { dies: boolean };
  of(name: string): Revision;
  ask(name: string): Promise<number>;
  stop(): Promise<void>;
}

/** Models that share memory for so many engines of 100 MiB; the spare one is counted besides. */
async function house(engines: number, models: Record<string, Backend[]>, kept?: string): Promise<House> {
  const stateDir = kept ?? (await mkdtemp(join(tmpdir(), 'switchback-sleeping-')));
  const objects = new Map(
    Object.keys(models).flatMap(name => [...ratioVersion({ label: name }).objects, ...objectsOf(name)]),
  );
  const artifacts = await memoryArtifacts(objects);
  const world = { dies: false };
  const { start, running, most } = countedEngines(world);
  const shared = { clock: systemClock, random: () => 0.5, log: silentLog };
  const supervisor = new Supervisor({ ...shared, start, loadsAtOnce: 2, onReplaced: () => {} });
  let serving: Serving | null = null;
  const loaded = new LoadedSet({
    ...shared,
    supervisor,
    artifacts,
    config: { stateDir, engineMemoryBytes: (engines + 1) * ENGINE + MIB },
    onBatch: () => {},
    onChange: () => serving?.settle(),
    onUnloaded: () => {},
  });
  serving = new Serving({ loaded, log: silentLog, onApplied: () => {} });
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await loaded[Symbol.asyncDispose]();
    await supervisor[Symbol.asyncDispose]();
    await artifacts[Symbol.asyncDispose]();
  };
  onTestFinished(async () => {
    await stop();
    expect(running.size).toBe(0);
    await rm(stateDir, { recursive: true, force: true });
  });
  serving.accept(snapshotOf(models));
  const of = (name: string): Revision => loaded.find(name as ModelName, models[name]![0]!.revision)!;
  return {
    loaded,
    serving,
    stateDir,
    engines: running,
    most,
    world,
    of,
    async ask(name) {
      const caller = { isGone: false };
      const deadline = systemClock.elapsed() + 15_000;
      const work = { inputs: inputs(), rows: 1, alone: false, deadline, priority: 0, caller };
      const { outputs } = await of(name).infer(work);
      return Number(outputs.get('ratio')!.data[0]);
    },
    stop,
  };
}

/** Engines of this process that say they hold 100 MiB. */
function countedEngines(world: House['world']) {
  const running = new Set<Engine>();
  const withGraph = new Set<Engine>();
  let most = 0;
  const make = memoryEngines();
  const start: StartEngine = async signal => {
    const inner = await make(signal);
    const engine: Engine = {
      pid: undefined,
      gone: inner.gone,
      async load(request) {
        if (world.dies) await inner[Symbol.asyncDispose]();
        withGraph.add(engine);
        most = Math.max(most, withGraph.size);
        return inner.load(request);
      },
      infer: (rows, timeoutMs) => inner.infer(rows, timeoutMs),
      residentBytes: async () => ENGINE,
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
    running.add(engine);
    void inner.gone.then(() => {
      running.delete(engine);
      withGraph.delete(engine);
    });
    return engine;
  };
  return { start, running, most: () => most };
}

const objectsOf = (name: string) => ratioVersion({ label: `${name}-next` }).objects;
/** Under the digest that its bytes really have. */
function versionOf(label: string, weight = 100): Backend {
  const { backend } = ratioVersion({ label, weight });
  const text = versionText(backend.artifacts, backend.signature);
  return { ...backend, digest: VersionDigest.parse(`sha256:${sha256(Buffer.from(text))}`) };
}
const modelsOf = (...names: string[]): Record<string, Backend[]> =>
  Object.fromEntries(names.map(name => [name, [versionOf(name)]]));
const allReady = ({ serving, loaded }: House) =>
  eventually(
    () => serving.isWhole() && loaded.describe().every(({ state }) => state === 'ready'),
    'all being ready',
  );
const asleep = ({ loaded }: House): string[] =>
  loaded.describe().flatMap(({ model, asleep }) => (asleep === true ? [model] : []));

test('with memory for all of them none sleeps', async () => {
  const all = await house(3, modelsOf('a', 'b', 'c'));

  await allReady(all);

  expect(asleep(all)).toEqual([]);
  expect(all.serving.readiness()).toEqual({ isReady: true, reasons: [] });
});

test('more models than there is memory for are all verified and ready, and most of them sleep', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `m${index}`);
  const all = await house(3, modelsOf(...names));

  await allReady(all);

  expect(asleep(all)).toHaveLength(9);
  expect(all.loaded.describe().every(({ attested }) => attested !== undefined)).toBe(true);
  expect(all.most()).toBeLessThanOrEqual(3);
  expect(all.serving.readiness()).toEqual({
    isReady: true,
    reasons: [{ code: 'asleep', message: '9 of the versions that are ready sleep until asked.' }],
  });
  expect(all.serving.startup()).toEqual({ isStarted: true, reasons: [] });
});

test('requests for one that sleeps wake it once, and all of them are answered', async () => {
  const all = await house(2, modelsOf('a', 'b', 'c', 'd'));
  await allReady(all);
  const [sleeper] = asleep(all);

  const answers = await Promise.all(Array.from({ length: 20 }, () => all.ask(sleeper!)));

  expect(new Set(answers)).toEqual(new Set([2]));
  expect(all.of(sleeper!).isAsleep).toBe(false);
  expect(all.loaded.running()[0]!.room!.wakeSeconds.count).toBe(1);
  expect(all.most()).toBeLessThanOrEqual(2);
});

test('of two that are awake, the one asked more often stays when a third one is woken', async () => {
  const all = await house(2, modelsOf('a', 'b', 'c'));
  await allReady(all);
  const [first] = asleep(all);
  const [often, seldom] = ['a', 'b', 'c'].filter(name => name !== first) as [string, string];
  for (let request = 0; request < 20; request++) await all.ask(often);
  await all.ask(seldom);

  await all.ask(first!);

  expect(asleep(all)).toEqual([seldom]);
});

test('versions that share the traffic of a route do not sleep, whoever else is asked', async () => {
  const rollout = [versionOf('a', 90), { ...versionOf('a-next', 10) }];
  const all = await house(3, { a: rollout, ...modelsOf('b', 'c', 'd') });
  await allReady(all);

  for (const name of ['b', 'c', 'd', 'b', 'c', 'd']) expect(await all.ask(name)).toBe(2);

  expect(asleep(all)).not.toContain('a');
  // They do not wait for others to be idle: one load goes beyond what there is memory for.
  expect(all.most()).toBeLessThanOrEqual(4);
});

test('one that dies each time it is woken rests like any other, and others go on', async () => {
  const all = await house(2, modelsOf('a', 'b', 'c'));
  await allReady(all);
  const [sleeper] = asleep(all);
  all.world.dies = true;

  const refused = all.ask(sleeper!).then(
    () => null,
    error => error,
  );

  expect(await refused).toMatchObject({
    code: 'E_MODEL_NOT_READY',
    details: { retryAfterMs: expect.any(Number) },
  });
  expect(all.of(sleeper!).describe()).toMatchObject({ state: 'failed', retryAt: expect.any(Number) });
  all.world.dies = false;
  const awake = ['a', 'b', 'c'].find(name => name !== sleeper && !asleep(all).includes(name));
  expect(await all.ask(awake!)).toBe(2);
  await eventually(() => all.of(sleeper!).state === 'ready', 'it being tried again');
});

test('after a restart what does not fit counts as ready at once, and still wakes when asked', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const before = await house(3, modelsOf(...names));
  await allReady(before);
  await before.stop();

  const after = await house(3, modelsOf(...names), before.stateDir);

  const ready = after.loaded.describe().filter(({ state }) => state === 'ready');
  expect(ready.length).toBeGreaterThanOrEqual(3);
  expect(ready.every(({ asleep, attested }) => asleep === true && attested === undefined)).toBe(true);
  expect(await after.ask(ready[0]!.model)).toBe(2);
  expect(after.of(ready[0]!.model).describe().attested).toBeDefined();
});

test('one that goes while requests wait for it to wake tells them so', async () => {
  const all = await house(2, modelsOf('a', 'b', 'c'));
  await allReady(all);
  const [sleeper] = asleep(all);

  const answer = all.ask(sleeper!).catch(error => error.code);
  all.serving.accept(snapshotOf(modelsOf(...['a', 'b', 'c'].filter(name => name !== sleeper))));

  expect([2, 'E_MODEL_NOT_READY']).toContain(await answer);
});
