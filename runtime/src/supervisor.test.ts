import { expect, onTestFinished, test } from 'vitest';
import type { Cause, Charge, Setback } from './charge.ts';
import { type SteppedClock, settled, steppedClock } from './clock.fixture.ts';
import { engineError, type ScriptedEngine, scriptedEngine } from './engine/scripted.fixture.ts';
import type { Tensors } from './engine/tensor.ts';
import type { WatchedEngine } from './engine/watched.ts';
import type { SwitchbackError } from './error.ts';
import type { Pulse } from './heartbeat/pulse.ts';
import { silentLog } from './log.ts';
import { Supervisor } from './supervisor.ts';

const MIB = 2 ** 20;
const NOTHING: Tensors = new Map();
const PULSE: Pulse = { inputs: NOTHING, outputs: NOTHING, tolerance: 0.01 };
const KILLED = { cause: 'died', reason: 'it was ended by SIGKILL' } as const;

type Told =
  | { what: 'up'; engine: WatchedEngine; replaced: Cause | null }
  | { what: 'lost'; cause: Cause['cause'] }
  | ({ what: 'down' } & Setback);

interface Keeping {
  clock: SteppedClock;
  engines: ScriptedEngine[];
  /** The one that is up, or was last. */
  serving(): ScriptedEngine;
  kinds(): string[];
  up(): Extract<Told, { what: 'up' }>;
  down(): Extract<Told, { what: 'down' }>;
  replaced: string[];
  /** Undefined while it goes on. */
  end(): SwitchbackError | null | undefined;
  /** A test may change both at any time. */
  world: { isShort: boolean; prepare: (isProven: boolean) => Promise<Pulse> };
}

/** A supervisor with one charge and engines of 80 MiB, in a world that a test changes. */
async function keeping(prepare: Keeping['world']['prepare'] = async () => PULSE): Promise<Keeping> {
  const clock = steppedClock();
  const engines: ScriptedEngine[] = [];
  const told: Told[] = [];
  const replaced: string[] = [];
  const world: Keeping['world'] = { isShort: false, prepare };
  let end: SwitchbackError | null | undefined;
  const supervisor = new Supervisor({
    async start() {
      if (world.isShort) throw new Error('spawn EMFILE');
      const engine = scriptedEngine(engines.length);
      engine.resident = 80 * MIB;
      engine.onInfer = () => Promise.reject(engineError('E_INTERNAL', 'The engine is blank.'));
      engines.push(engine);
      return engine;
    },
    clock,
    random: () => 1,
    log: silentLog,
    onReplaced: (_, cause) => void replaced.push(cause),
  });
  const charge: Charge = {
    model: 'm',
    revision: 'r',
    limits: { memoryBytes: 512 * MIB, timeoutMs: 1000, maxBatch: 1 },
    async prepare({ pid }, isProven) {
      const pulse = await world.prepare(isProven);
      engines[pid!]!.onInfer = async () => NOTHING;
      return pulse;
    },
    up: (engine, by) => void told.push({ what: 'up', engine, replaced: by }),
    lost: ({ cause }) => void told.push({ what: 'lost', cause }),
    down: setback => void told.push({ what: 'down', ...setback }),
  };
  const abort = new AbortController();
  const kept = supervisor.keep(charge, abort.signal).then(why => {
    end = why;
  });
  onTestFinished(async () => {
    abort.abort();
    await kept;
    await supervisor[Symbol.asyncDispose]();
    expect(engines.every(({ isDisposed }) => isDisposed)).toBe(true);
  });
  await settled();
  const last = <What extends Told['what']>(what: What) =>
    told.findLast(one => one.what === what) as Extract<Told, { what: What }>;
  return {
    clock,
    engines,
    serving: () => engines[last('up').engine.pid!]!,
    kinds: () => told.map(({ what }) => what),
    up: () => last('up'),
    down: () => last('down'),
    replaced,
    end: () => end,
    world,
  };
}

test('an engine that died is replaced at once, and the cause is told', async () => {
  const { clock, serving, kinds, down, replaced } = await keeping();

  serving().end(KILLED);
  await clock.advance(0);

  expect(kinds()).toEqual(['up', 'lost', 'down', 'up']);
  expect(down()).toMatchObject({ replaced: KILLED, retryAt: null, error: { code: 'E_ENGINE_DIED' } });
  expect(replaced).toEqual(['died']);
});

test('the fifth crash brings a rest, and a minute without one makes all forgotten', async () => {
  const { clock, serving, kinds, down, end } = await keeping();
  for (let crash = 0; crash < 5; crash++) {
    serving().end(KILLED);
    await clock.advance(crash < 4 ? 400 : 0);
  }
  expect(down().retryAt).toBe(clock.now() + 1000);
  expect(kinds().at(-1)).toBe('down');

  await clock.advance(1000);
  expect(kinds().at(-1)).toBe('up');
  serving().end(KILLED);
  await clock.advance(0);
  expect(down().retryAt).toBe(clock.now() + 2000);

  await clock.advance(2000 + 60_000);
  expect(kinds().at(-1)).toBe('up');
  serving().end(KILLED);
  await clock.advance(0);
  expect(down().retryAt).toBeNull();
  expect(end()).toBeUndefined();
});

test('an engine that dies each time it is loaded rests as well, and is tried for ever', async () => {
  const { clock, kinds, down, end } = await keeping(() => Promise.reject(engineError('E_ENGINE_DIED')));

  await clock.advance(60 * 60_000);

  expect(new Set(kinds())).toEqual(new Set(['down']));
  expect(kinds().length).toBeGreaterThan(15);
  expect(kinds().length).toBeLessThan(30);
  expect(down().retryAt).toBeGreaterThan(clock.now());
  expect(end()).toBeUndefined();
});

test('an engine whose heartbeat stays away is replaced, though nobody asked it anything', async () => {
  const { clock, serving, kinds, down } = await keeping();
  serving().onInfer = () => Promise.reject(engineError('E_ENGINE_TIMEOUT'));

  await clock.advance(2000);

  expect(kinds()).toEqual(['up', 'lost', 'down', 'up']);
  expect(down().replaced).toEqual({ cause: 'hung', reason: 'its heartbeat stayed away for 2000 ms' });
});

test('an engine that is killed because its heartbeat is late counts as hung, whichever is heard of first', async () => {
  const { clock, serving, down } = await keeping();
  const engine = serving();
  engine.onInfer = async () => {
    engine.end({ cause: 'late', reason: 'it took longer than 2000 ms' });
    await settled();
    throw engineError('E_ENGINE_TIMEOUT');
  };

  await clock.advance(2000);

  expect(down().replaced?.cause).toBe('hung');
});

test('the golden rows are asked again after a wrong answer, and only then', async () => {
  const proven: boolean[] = [];
  const { clock, serving, replaced } = await keeping(async isProven => {
    proven.push(isProven);
    return PULSE;
  });
  serving().onInfer = () => Promise.reject(engineError('E_INTERNAL', 'No such row.'));
  await clock.advance(2000);

  serving().end(KILLED);
  await clock.advance(1000);

  expect(replaced).toEqual(['wrong', 'died']);
  expect(proven).toEqual([false, false, true]);
});

test('a bloated engine is replaced without a break, and answers what it has aboard', async () => {
  const { clock, serving, kinds, up } = await keeping();
  const old = serving();
  const mayAnswer = Promise.withResolvers<Tensors>();
  old.onInfer = () => mayAnswer.promise;
  const aboard = up().engine.infer(NOTHING, 1000);
  old.resident = 600 * MIB;

  await clock.advance(2000);

  expect(kinds()).toEqual(['up', 'up']);
  expect(up().replaced?.cause).toBe('bloated');
  expect(old.isDisposed).toBe(false);
  mayAnswer.resolve(NOTHING);
  await expect(aboard).resolves.toBe(NOTHING);
  await settled();
  expect(old.isDisposed).toBe(true);
});

test('a bloated engine stays as long as no other can be had, and is tried to be replaced again', async () => {
  const { clock, serving, kinds, world } = await keeping();
  const old = serving();
  old.resident = 600 * MIB;
  world.prepare = () => Promise.reject(engineError('E_ENGINE_DIED'));
  await clock.advance(30_000);
  expect(old.isDisposed).toBe(false);
  expect(kinds()).toEqual(['up']);

  world.prepare = async () => PULSE;
  await clock.advance(60_000);

  expect(old.isDisposed).toBe(true);
  expect(kinds()).toEqual(['up', 'up']);
});

test('a bloated engine that dies while another is made ready is not waited for', async () => {
  const { clock, serving, kinds, world } = await keeping();
  const old = serving();
  old.resident = 600 * MIB;
  const mayPrepare = Promise.withResolvers<Pulse>();
  world.prepare = () => mayPrepare.promise;
  await clock.advance(2000);
  world.prepare = async () => PULSE;

  old.end(KILLED);
  mayPrepare.reject(engineError('E_ENGINE_DIED'));
  await clock.advance(0);

  expect(kinds()).toEqual(['up', 'lost', 'down', 'up']);
});

test('a charge that never was ready and is refused is given up for good', async () => {
  const { clock, kinds, end } = await keeping(() => Promise.reject(engineError('E_MODEL_GOLDEN')));

  await clock.advance(60_000);

  expect(end()?.code).toBe('E_MODEL_GOLDEN');
  expect(kinds()).toEqual([]);
});

test('a charge that was ready is tried again, whatever its replacement is refused for', async () => {
  const { clock, serving, kinds, down, world, end } = await keeping();
  world.prepare = () => Promise.reject(engineError('E_MODEL_LOAD', 'It took too long.'));

  serving().end(KILLED);
  await clock.advance(2000);

  expect(end()).toBeUndefined();
  expect(down()).toMatchObject({ error: { code: 'E_MODEL_LOAD' }, retryAt: expect.any(Number) });
  world.prepare = async () => PULSE;
  await clock.advance(60_000);
  expect(kinds().at(-1)).toBe('up');
});

test('nobody is blamed when the machine has no engine to give, and it goes on as soon as it has', async () => {
  const { clock, engines, kinds, down, replaced, world } = await keeping();
  world.isShort = true;

  for (const engine of engines) engine.end(KILLED);
  await clock.advance(30_000);

  expect(down()).toMatchObject({ error: { code: 'E_ENGINE_START' }, replaced: null, retryAt: null });
  expect(replaced).toEqual(['died']);
  world.isShort = false;
  await clock.advance(4000);
  expect(kinds().at(-1)).toBe('up');
});

test('what is no word on the model does not count against it', async () => {
  const { clock, kinds, down, replaced, world, end } = await keeping(() =>
    Promise.reject(new Error('EMFILE: too many open files')),
  );

  await clock.advance(30_000);

  expect(down()).toMatchObject({ error: { code: 'E_INTERNAL' }, replaced: null, retryAt: null });
  expect(replaced).toEqual([]);
  world.prepare = async () => PULSE;
  await clock.advance(4000);
  expect(kinds().at(-1)).toBe('up');
  expect(end()).toBeUndefined();
});
