import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { settled } from '../clock.fixture.ts';
import type { Engine } from '../engine/engine.ts';
import { ratioArithmetic } from '../engine/memory/arithmetic.fixture.ts';
import { memoryEngines } from '../engine/memory/index.ts';
import { findConfinement } from '../engine/onnx/confinement.ts';
import { lookupModel } from '../engine/onnx/graph.fixture.ts';
import { onnxEngines } from '../engine/onnx/index.ts';
import { engineError, scriptedEngine } from '../engine/scripted.fixture.ts';
import { SwitchbackError } from '../error.ts';
import { answerOf, dividing, OPTIONS, outcomes, valuesOf, work } from './batcher.fixture.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';

const LOAD = { memoryBytes: 512 * 2 ** 20, timeoutMs: 20_000 };

describe('a batcher', () => {
  let folder: string;
  let engine: Engine;
  let batches: number[];
  let open: Batcher[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchback-batcher-'));
    await writeFile(join(folder, 'ratio.json'), JSON.stringify(ratioArithmetic()));
    await writeFile(join(folder, 'lookup.onnx'), lookupModel());
    engine = await loadedEngine();
    batches = [];
    open = [];
  });
  afterEach(async () => {
    for (const one of open) one.close(new SwitchbackError('E_MODEL_NOT_READY', 'Closed.'));
    await engine[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function loadedEngine(): Promise<Engine> {
    const started = await memoryEngines()(AbortSignal.timeout(1000));
    await started.load({ path: join(folder, 'ratio.json'), ...LOAD });
    return started;
  }

  function batcher(options: Partial<BatcherOptions> = {}): Batcher {
    const made = new Batcher({ ...OPTIONS, onBatch: count => batches.push(count), ...options });
    open.push(made);
    return made;
  }

  const ask = (to: Batcher, value: number) => to.submit(work([value]));

  test('sends what arrived in one turn together, and gives each its own rows', async () => {
    const queue = batcher();
    queue.attach(0, engine);

    const answers = await Promise.all([1, 2, 3].map(value => ask(queue, value)));

    expect(answers.map(answerOf)).toEqual([[1], [2], [3]]);
    expect(answers.map(({ batchRows }) => batchRows)).toEqual([3, 3, 3]);
    expect(answers.every(({ queueMs, runMs }) => queueMs >= 0 && runMs >= 0)).toBe(true);
    expect(batches).toEqual([3]);
  });

  test('never sends more rows together than the limit', async () => {
    const queue = batcher();
    queue.attach(0, engine);

    const answers = await Promise.all(Array.from({ length: 20 }, (_, value) => ask(queue, value)));

    expect(answers.map(answerOf)).toEqual(Array.from({ length: 20 }, (_, value) => [value]));
    expect(batches).toEqual([8, 8, 4]);
  });

  test('keeps requests apart where the graph takes no batches, or where one shall go alone', async () => {
    const fixed = batcher({ isBatchable: false });
    fixed.attach(0, engine);
    await Promise.all([ask(fixed, 1), ask(fixed, 2)]);
    expect(batches).toEqual([1, 1]);

    const queue = batcher();
    queue.attach(0, engine);
    await Promise.all([queue.submit(work([1], { alone: true })), ask(queue, 2), ask(queue, 3)]);
    expect(batches.slice(2)).toEqual([1, 2]);
  });

  test('refuses what is beyond its capacity, and takes more once it has room', async () => {
    const queue = batcher({ capacityRows: 2 });
    const waiting = [ask(queue, 1), ask(queue, 2)];

    await expect(ask(queue, 3)).rejects.toMatchObject({ code: 'E_OVERLOADED' });
    await expect(queue.submit(work([1, 2, 3]))).rejects.toMatchObject({ code: 'E_INPUT' });

    queue.attach(0, engine);
    await Promise.all(waiting);
    await expect(ask(queue, 4)).resolves.toBeDefined();
  });

  test('lets a poisoned request fail alone, in a real graph that refuses it, and finds it by halves', async () => {
    await using graph = await onnxEngines(await findConfinement())(AbortSignal.timeout(20_000));
    await graph.load({ path: join(folder, 'lookup.onnx'), ...LOAD });
    const queue = batcher({ limits: { maxBatch: 64, timeoutMs: 5000 } });
    queue.attach(0, graph);
    const look = (index: number) =>
      queue.submit({
        ...work([]),
        inputs: new Map([
          ['index', { datatype: 'INT64', shape: [1], data: BigInt64Array.of(BigInt(index)) }],
        ]),
        rows: 1,
      });

    const settledOnes = await Promise.allSettled(
      Array.from({ length: 64 }, (_, index) => look(index === 37 ? 99 : 1)),
    );

    expect(settledOnes.filter(({ status }) => status === 'fulfilled')).toHaveLength(63);
    expect(settledOnes[37]).toMatchObject({ reason: { code: 'E_INTERNAL' } });
    expect(batches[0]).toBe(64);
    expect(batches).toHaveLength(1 + 2 * Math.log2(64));
  });

  test('answers all but the poisoned, however many there are, each request once and with its own rows', async () => {
    const requests = fc.array(fc.record({ rows: fc.integer({ min: 1, max: 3 }), isPoisoned: fc.boolean() }), {
      minLength: 1,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(requests, async made => {
        const scripted = dividing();
        let runs = 0;
        const divide = scripted.onInfer;
        scripted.onInfer = async (inputs, timeoutMs) => {
          runs++;
          if (valuesOf(inputs).some(value => value < 0)) throw engineError('E_INTERNAL', 'Poison.');
          return divide(inputs, timeoutMs);
        };
        const queue = batcher();
        queue.attach(0, scripted);

        const asked = made.map(({ rows: count, isPoisoned }, index) =>
          Array.from({ length: count }, (_, row) => (isPoisoned && row === 0 ? -1 : 10 * index + row)),
        );
        const answered = await outcomes(asked.map(values => queue.submit(work(values))));

        expect(answered).toEqual(asked.map(values => (values[0] === -1 ? 'E_INTERNAL' : values)));
        const poisoned = made.filter(({ isPoisoned }) => isPoisoned).length;
        expect(runs).toBeLessThanOrEqual(made.length + poisoned * 2 * Math.ceil(Math.log2(8)));
      }),
    );
  });

  test('fails what was aboard a dead engine, and gives what waited to the next', async () => {
    const queue = batcher({ limits: { maxBatch: 1, timeoutMs: 10 } });
    queue.attach(0, engine);
    const asked = [ask(queue, 2e6), ask(queue, 1), ask(queue, 5)];
    const settledOnes = outcomes(asked);
    await engine.gone;
    queue.detach(0);

    await using next = await loadedEngine();
    queue.attach(0, next);

    expect(await settledOnes).toEqual(['E_ENGINE_TIMEOUT', 'E_ENGINE_DIED', [5]]);
  });

  test('gives nothing to an engine that is going, before anybody has said that it is gone', async () => {
    const going = scriptedEngine();
    going.onInfer = () => Promise.reject(engineError('E_ENGINE_TIMEOUT'));
    const queue = batcher();
    queue.attach(0, going);
    await expect(ask(queue, 1)).rejects.toMatchObject({ code: 'E_ENGINE_TIMEOUT' });

    const waiting = ask(queue, 2);
    await settled();
    queue.attach(0, engine);

    expect(answerOf(await waiting)).toEqual([2]);
    expect(going.asked).toHaveLength(1);
  });

  test('lets nobody wait longer than an outage may be, and recovers', async () => {
    const queue = batcher({ outageMs: 5 });
    queue.attach(0, engine);
    queue.detach(0);
    const waiting = ask(queue, 1);

    await expect(waiting).rejects.toMatchObject({ code: 'E_MODEL_NOT_READY' });
    await expect(ask(queue, 1)).rejects.toMatchObject({ code: 'E_MODEL_NOT_READY' });

    queue.attach(0, engine);
    await expect(ask(queue, 1)).resolves.toBeDefined();
  });

  test('is idle once the last answer is out, and refuses after closing', async () => {
    const queue = batcher();
    queue.attach(0, engine);
    let isAnswered = false;
    const answer = queue.submit(work(Array(50).fill(1))).then(() => {
      isAnswered = true;
    });

    await queue.idle();
    await answer;

    expect(isAnswered).toBe(true);
    queue.close(new SwitchbackError('E_MODEL_NOT_READY', 'Closed.'));
    await expect(ask(queue, 1)).rejects.toMatchObject({ message: 'Closed.' });
  });

  test('tells a graph that mixes rows by its answer, and asks it one request at a time from then on', async () => {
    const mixing = scriptedEngine();
    mixing.onInfer = async () =>
      new Map([['ratio', { datatype: 'FP32', shape: [1], data: Float32Array.of(7) }]]);
    const queue = batcher();
    queue.attach(0, mixing);

    expect(await outcomes([ask(queue, 1), ask(queue, 2)])).toEqual([[7], [7]]);
    await outcomes([ask(queue, 1), ask(queue, 2)]);

    expect(batches).toEqual([2, 1, 1, 1, 1]);
  });
});
