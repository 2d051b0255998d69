import { expect, onTestFinished, test } from 'vitest';
import { settled, steppedClock } from './clock.fixture.ts';
import type { StartEngine } from './engine/engine.ts';
import { engineError, type ScriptedEngine, scriptedEngine } from './engine/scripted.fixture.ts';
import { Turns } from './loading/turns.ts';
import { silentLog } from './log.ts';
import { Spare } from './spare.ts';

const forever = new AbortController().signal;

async function spareOf(start?: StartEngine, atOnce = Number.POSITIVE_INFINITY) {
  const clock = steppedClock();
  const turns = new Turns({ atOnce, clock });
  const started: ScriptedEngine[] = [];
  const spare = new Spare({
    start:
      start ??
      (async () => {
        const engine = scriptedEngine();
        engine.onInfer = () => Promise.reject(engineError('E_INTERNAL', 'The engine is blank.'));
        started.push(engine);
        return engine;
      }),
    turns,
    clock,
    random: () => 1,
    log: silentLog,
  });
  onTestFinished(() => spare[Symbol.asyncDispose]());
  await settled();
  return { spare, clock, started, turns };
}

test('a blank engine is started ahead, and another one once it is taken', async () => {
  const { spare, started } = await spareOf();
  expect(started).toHaveLength(1);

  const taken = await spare.take(forever);
  await settled();

  expect(taken).toBe(started[0]);
  expect(started).toHaveLength(2);
});

test('its start gives way to everybody until somebody waits for it', async () => {
  const blank = Promise.withResolvers<void>();
  const awaited: (boolean | undefined)[] = [];
  const { spare } = await spareOf(async (_, isAwaited) => {
    const index = awaited.push(isAwaited && false) - 1;
    void isAwaited?.then(() => {
      awaited[index] = true;
    });
    await blank.promise;
    return scriptedEngine();
  });
  expect(awaited).toEqual([false]);

  const taken = spare.take(forever);
  await settled();
  expect(awaited[0]).toBe(true);
  blank.resolve();
  await taken;
});

test('two who need one at the same time get one each', async () => {
  const { spare, started } = await spareOf();

  const taken = await Promise.all([spare.take(forever), spare.take(forever)]);

  expect(new Set(taken).size).toBe(2);
  expect(started.length).toBeGreaterThanOrEqual(2);
});

test('a spare that died is replaced before anybody needs it, and the dead are cleared away', async () => {
  const { clock, started } = await spareOf();

  started[0]!.end({ cause: 'died', reason: 'it was ended by SIGKILL' });
  await settled();
  await clock.advance(100);

  expect(started).toHaveLength(2);
  expect(started[0]!.isDisposed).toBe(true);
});

test('a spare that hangs is found while nobody needs it', async () => {
  const { clock, started } = await spareOf();
  started[0]!.onInfer = () => Promise.reject(engineError('E_ENGINE_TIMEOUT'));

  await clock.advance(10_100);

  expect(started).toHaveLength(2);
  expect(started[0]!.isDisposed).toBe(true);
});

test('who takes a spare that hangs gets a new engine', async () => {
  const { spare, started } = await spareOf();
  started[0]!.onInfer = () => Promise.reject(engineError('E_ENGINE_TIMEOUT'));

  const taken = await spare.take(forever);

  expect(taken).not.toBe(started[0]);
  expect(started[0]!.isDisposed).toBe(true);
});

test('a spare that can not be started is tried again, ever more patiently, and whoever needs one is told why', async () => {
  let tries = 0;
  const { spare, clock } = await spareOf(async () => {
    tries++;
    throw new Error('no process left');
  });

  await expect(spare.take(forever)).rejects.toThrow('no process left');
  const before = tries;
  await clock.advance(60_000);

  expect(tries - before).toBeGreaterThan(20);
  expect(tries - before).toBeLessThan(40);
});

test('nobody waits for a spare whose turn to start has not come: whoever needs an engine has a turn already', async () => {
  const { spare, started, turns } = await spareOf(undefined, 1);
  await spare.take(forever);
  const endTurn = await turns.take('first', forever);
  await settled();
  expect(started).toHaveLength(1);

  const taken = await spare.take(forever);

  expect(taken).toBe(started[1]);
  endTurn();
  await settled();
  expect(started).toHaveLength(3);
});

test('nothing is left once it is disposed', async () => {
  const { spare, started } = await spareOf();

  await spare[Symbol.asyncDispose]();

  expect(started.map(({ isDisposed }) => isDisposed)).toEqual([true]);
});
