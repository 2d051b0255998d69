import { afterEach, expect, test } from 'vitest';
import { type SteppedClock, steppedClock } from '../clock.fixture.ts';
import { engineError, type ScriptedEngine, scriptedEngine } from '../engine/scripted.fixture.ts';
import type { Tensors } from '../engine/tensor.ts';
import { WatchedEngine } from '../engine/watched.ts';
import { deadlineMs, type Finding, restMs, type Watch, watch } from './heartbeat.ts';

const tensors = (value: number): Tensors =>
  new Map([['y', { datatype: 'FP32', shape: [1], data: Float32Array.of(value) }]]);
const MIB = 2 ** 20;

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Watching {
  clock: SteppedClock;
  scripted: ScriptedEngine;
  engine: WatchedEngine;
  /** Undefined while nothing was found. */
  finding: () => Finding | null | undefined;
  stop(): Promise<void>;
}

function watching(options: Partial<Watch> = {}): Watching {
  const clock = steppedClock();
  const scripted = scriptedEngine();
  scripted.onInfer = async () => tensors(2);
  const engine = new WatchedEngine(scripted, clock);
  const abort = new AbortController();
  let finding: Finding | null | undefined;
  const ended = watch(
    {
      engine,
      pulse: { inputs: tensors(1), outputs: tensors(2), tolerance: 0.01 },
      limits: { memoryBytes: 512 * MIB, timeoutMs: 5000 },
      footprint: null,
      noBloatBefore: 0,
      clock,
      ...options,
    },
    abort.signal,
  ).then(found => {
    finding = found;
  });
  const stop = async (): Promise<void> => {
    abort.abort();
    await ended;
  };
  stops.push(stop);
  return { clock, scripted, engine, finding: () => finding, stop };
}

test('an idle engine is asked its golden row every two seconds, and left alone as long as it answers', async () => {
  const { clock, scripted, finding } = watching();

  await clock.advance(10_000);

  expect(scripted.asked).toHaveLength(5);
  expect(finding()).toBeUndefined();
});

test('an engine that answers requests is not asked: they are its heartbeat', async () => {
  const { clock, scripted, engine } = watching();

  for (let second = 0; second < 20; second++) {
    await engine.infer(tensors(1), 5000);
    await clock.advance(1000);
  }

  expect(scripted.asked).toHaveLength(20);
  expect(engine.answers).toBe(20);
});

test('an engine with a request aboard is not asked', async () => {
  const { clock, scripted, engine } = watching();
  const mayAnswer = Promise.withResolvers<Tensors>();
  scripted.onInfer = () => mayAnswer.promise;
  const request = engine.infer(tensors(1), 60_000);

  await clock.advance(30_000);
  mayAnswer.resolve(tensors(2));
  await request;

  expect(scripted.asked).toEqual([60_000]);
});

test('never two heartbeats are aboard at once', async () => {
  const { clock, scripted, engine, stop } = watching();
  const mayAnswer = Promise.withResolvers<Tensors>();
  scripted.onInfer = () => mayAnswer.promise;

  await clock.advance(60_000);

  expect(scripted.asked).toHaveLength(1);
  expect(engine.isBeating).toBe(true);
  mayAnswer.resolve(tensors(2));
  await stop();
  expect(engine.isBeating).toBe(false);
});

test('a heartbeat is not an answer of the engine', async () => {
  const { clock, engine } = watching();

  await clock.advance(10_000);

  expect(engine.answers).toBe(0);
});

test.each<[string, () => Promise<Tensors>, Finding | undefined]>([
  [
    'does not answer in time',
    () => Promise.reject(engineError('E_ENGINE_TIMEOUT')),
    { cause: 'hung', reason: 'its heartbeat stayed away for 5000 ms' },
  ],
  [
    'answers wrongly',
    async () => tensors(2.5),
    {
      cause: 'wrong',
      reason: expect.stringMatching(/^it no longer gives its golden answer: .*y.* is 2.5 and should be 2/),
    },
  ],
  [
    'refuses its golden row',
    () => Promise.reject(engineError('E_INTERNAL', 'No such row.')),
    { cause: 'wrong', reason: 'it no longer takes its golden row: No such row.' },
  ],
  [
    'has no memory left',
    () => Promise.reject(engineError('E_ENGINE_MEMORY')),
    { cause: 'bloated', reason: 'it had no memory left for its heartbeat' },
  ],
  ['is gone, which is for others to see', () => Promise.reject(engineError('E_ENGINE_DIED')), undefined],
])('an engine that %s is found', async (_, onInfer, expected) => {
  const { clock, scripted, finding } = watching();
  scripted.onInfer = onInfer;

  await clock.advance(2000);

  expect(finding()).toEqual(expected);
});

test('a bloated engine is found though it is busy, and not sooner than it may be', async () => {
  const footprint = { blankBytes: 80 * MIB, ownBytes: 20 * MIB };
  const { clock, scripted, engine, finding } = watching({ footprint, noBloatBefore: 10_000 });
  scripted.resident = 100 * MIB;
  scripted.onInfer = () => new Promise(() => {});
  void engine.infer(tensors(1), 60_000);

  scripted.resident = 580 * MIB;
  await clock.advance(8000);
  expect(finding()).toBeUndefined();
  await clock.advance(2000);

  expect(finding()).toMatchObject({ cause: 'bloated', reason: expect.stringContaining('it held 500 MiB') });
});

test('watching ends with its signal and finds nothing', async () => {
  const { clock, scripted, finding, stop } = watching();

  await stop();
  await clock.advance(10_000);

  expect(finding()).toBeNull();
  expect(scripted.asked).toEqual([]);
});

test('a slow graph is asked so seldom that a hundredth of the time is enough', () => {
  expect([null, 1, 20, 100, 10_000].map(restMs)).toEqual([2000, 2000, 2000, 10_000, 60_000]);
});

test('a heartbeat may take far more than the last one did, and no less than two seconds', () => {
  expect(deadlineMs(null, 10_000)).toBe(10_000);
  expect(deadlineMs(1, 10_000)).toBe(2000);
  expect(deadlineMs(100, 10_000)).toBe(5000);
  expect(deadlineMs(1000, 10_000)).toBe(10_000);
  expect(deadlineMs(null, 20)).toBe(2000);
});
