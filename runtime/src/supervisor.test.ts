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

type Told = { seat: number } & (
  | { what: 'up'; engine: WatchedEngine; replaced: Cause | null }
  | { what: 'lost'; cause: Cause['cause'] }
  | ({ what: 'down' } & Setback)
);

interface Keeping {
  clock: SteppedClock;
  engines: ScriptedEngine[];
  /** The one that is up, or was last. */
  serving(): ScriptedEngine;
  kinds(): string[];
  told: readonly Told[];
  up(): Extract<Told, { what: 'up' }>;
  down(): Extract<Told, { what: 'down' }>;
  replaced: string[];
  /** Undefined while it goes on. */
  end(): SwitchbackError | null | undefined;
  /** A test may change both at any time. */
  world: { isShort: boolean; prepare: (isProven: boolean) => Promise<Pulse> };
}

/** A supervisor with one charge and engines of 80 MiB, in a world that a test changes. */
async function keeping(
  prepare: Keeping['world']['prepare'] = async () => PULSE,
  seats = 1,
  loadsAtOnce = Number.POSITIVE_INFINITY,
): Promise<Keeping> {
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
    loadsAtOnce,
    random: () => 1,
    log: silentLog,
    onReplaced: (_, cause) => void replaced.push(cause),
  });
  const charge: Charge = {
    model: 'm',
    revision: 'r',
    limits: { memoryBytes: 512 * MIB, timeoutMs: 1000, maxBatch: 1 },
    engines: seats,
    open: async () => async (engine, isProven) => {
      const pulse = await world.prepare(isProven);
      engines[engine.pid!]!.onInfer = async () => NOTHING;
      return pulse;
    },
    up: (seat, engine, by) => void told.push({ seat, what: 'up', engine, replaced: by }),
    lost: (seat, { cause }) => void told.push({ seat, what: 'lost', cause }),
    down: (seat, setback) => void told.push({ seat, what: 'down', ...setback }),
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
    told,
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

/** What was told of one seat. */
const toldOf = ({ told }: Keeping, seat: number): string[] =>
  told.filter(one => one.seat === seat).map(({ what }) => what);

function engineIn({ told, engines }: Keeping, seat: number): ScriptedEngine {
  const up = told.findLast(one => one.what === 'up' && one.seat === seat);
  return engines[up?.what === 'up' ? up.engine.pid! : -1]!;
}

test('the first engine of several shows that the charge can be ready, and the others follow it unasked', async () => {
  const proven: boolean[] = [];
  const mayGoOn = Promise.withResolvers<void>();
  const kept = await keeping(async isProven => {
    proven.push(isProven);
    await mayGoOn.promise;
    return PULSE;
  }, 3);
  expect(proven).toEqual([false]);

  mayGoOn.resolve();
  await kept.clock.advance(0);

  expect(proven).toEqual([false, true, true]);
  expect([0, 1, 2].map(seat => toldOf(kept, seat))).toEqual([['up'], ['up'], ['up']]);
});

test('a charge whose first engine is refused is given up with all its seats', async () => {
  const kept = await keeping(() => Promise.reject(engineError('E_MODEL_GOLDEN')), 3);

  await kept.clock.advance(60_000);

  expect(kept.end()?.code).toBe('E_MODEL_GOLDEN');
  expect(kept.told).toEqual([]);
});

test('an engine that is lost is replaced in its own seat, and the others go on', async () => {
  const kept = await keeping(undefined, 2);
  const first = engineIn(kept, 0);

  engineIn(kept, 1).end(KILLED);
  await kept.clock.advance(0);

  expect(toldOf(kept, 0)).toEqual(['up']);
  expect(toldOf(kept, 1)).toEqual(['up', 'lost', 'down', 'up']);
  expect(first.isDisposed).toBe(false);
});

test('crashes count for the charge, whichever of its engines crashed', async () => {
  const kept = await keeping(undefined, 2);

  for (let crash = 0; crash < 5; crash++) {
    engineIn(kept, crash % 2).end(KILLED);
    await kept.clock.advance(crash < 4 ? 400 : 0);
  }

  expect(kept.down()).toMatchObject({ seat: 0, retryAt: kept.clock.now() + 1000 });
  expect(toldOf(kept, 1).at(-1)).toBe('up');
  await kept.clock.advance(1000);
  expect(toldOf(kept, 0).at(-1)).toBe('up');
});

test('no more engines load at once than may, and one that hangs while loading holds up nobody for long', async () => {
  const mayGoOn = Promise.withResolvers<void>();
  let loading = 0;
  const kept = await keeping(
    async isProven => {
      if (!isProven) return PULSE;
      loading++;
      await mayGoOn.promise;
      return PULSE;
    },
    4,
    1,
  );
  expect(loading).toBe(1);

  await kept.clock.advance(2000);
  expect(loading).toBe(2);

  mayGoOn.resolve();
  await kept.clock.advance(0);
  expect([0, 1, 2, 3].map(seat => toldOf(kept, seat).at(-1))).toEqual(['up', 'up', 'up', 'up']);
});
