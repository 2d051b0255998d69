import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { rows } from '../engine/engine.contract.ts';
import type { Engine } from '../engine/engine.ts';
import { ratioArithmetic } from '../engine/memory/arithmetic.fixture.ts';
import { memoryEngines } from '../engine/memory/index.ts';
import { findConfinement } from '../engine/onnx/confinement.ts';
import { lookupModel } from '../engine/onnx/graph.fixture.ts';
import { onnxEngines } from '../engine/onnx/index.ts';
import type { Tensors } from '../engine/tensor.ts';
import { SwitchbackError } from '../error.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';

const LOAD = { memoryBytes: 512 * 2 ** 20, timeoutMs: 20_000 };

describe('a batcher', () => {
  let folder: string;
  let engine: Engine;
  let batches: number[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchback-batcher-'));
    await writeFile(join(folder, 'ratio.json'), JSON.stringify(ratioArithmetic()));
    await writeFile(join(folder, 'lookup.onnx'), lookupModel());
    engine = await loadedEngine();
    batches = [];
  });
  afterEach(async () => {
    await engine[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function loadedEngine(): Promise<Engine> {
    const started = await memoryEngines()(AbortSignal.timeout(1000));
    await started.load({ path: join(folder, 'ratio.json'), ...LOAD });
    return started;
  }

  function batcher(options: Partial<BatcherOptions> = {}): Batcher {
    return new Batcher({
      limits: { maxBatch: 8, timeoutMs: 5000 },
      capacityRows: 100,
      outageMs: 20_000,
      isBatchable: true,
      clock: systemClock,
      onBatch: count => batches.push(count),
      ...options,
    });
  }

  const ask = (to: Batcher, value: number) => to.submit(rows([value], [1]), 1);
  const answerOf = (outputs: Tensors) => outputs.get('ratio')?.data[0];

  test('sends what arrived in one turn together, and gives each its own rows', async () => {
    const queue = batcher();
    queue.attach(engine);

    const answers = await Promise.all([1, 2, 3].map(value => ask(queue, value)));

    expect(answers.map(answerOf)).toEqual([1, 2, 3]);
    expect(batches).toEqual([3]);
  });

  test('never sends more rows together than the limit', async () => {
    const queue = batcher();
    queue.attach(engine);

    const answers = await Promise.all(Array.from({ length: 20 }, (_, value) => ask(queue, value)));

    expect(answers.map(answerOf)).toEqual(Array.from({ length: 20 }, (_, value) => value));
    expect(batches).toEqual([8, 8, 4]);
  });

  test('keeps requests apart where the graph takes no batches, or where one shall go alone', async () => {
    const fixed = batcher({ isBatchable: false });
    fixed.attach(engine);
    await Promise.all([ask(fixed, 1), ask(fixed, 2)]);
    expect(batches).toEqual([1, 1]);

    const queue = batcher();
    queue.attach(engine);
    await Promise.all([queue.submit(rows([1], [1]), 1, true), ask(queue, 2), ask(queue, 3)]);
    expect(batches.slice(2)).toEqual([1, 2]);
  });

  test('refuses what is beyond its capacity, and takes more once it has room', async () => {
    const queue = batcher({ capacityRows: 2 });
    const waiting = [ask(queue, 1), ask(queue, 2)];

    await expect(ask(queue, 3)).rejects.toMatchObject({ code: 'E_OVERLOADED' });

    queue.attach(engine);
    await Promise.all(waiting);
    await expect(ask(queue, 4)).resolves.toBeDefined();
  });

  test('lets a poisoned request fail alone, in a real graph that refuses it', async () => {
    await using graph = await onnxEngines(await findConfinement())(AbortSignal.timeout(20_000));
    await graph.load({ path: join(folder, 'lookup.onnx'), ...LOAD });
    const queue = batcher();
    queue.attach(graph);
    const look = (index: number) =>
      queue.submit(
        new Map([['index', { datatype: 'INT64', shape: [1], data: BigInt64Array.of(BigInt(index)) }]]),
        1,
      );

    const settled = await Promise.allSettled([look(1), look(99), look(3)]);

    expect(batches).toEqual([3, 1, 1, 1]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: { code: 'E_INTERNAL' } });
  });

  test('fails what was aboard a dead engine, and gives what waited to the next', async () => {
    const queue = batcher({ limits: { maxBatch: 1, timeoutMs: 10 } });
    queue.attach(engine);
    const asked = [ask(queue, 2e6), ask(queue, 1), ask(queue, 5)];
    const settled = Promise.allSettled(asked);
    await engine.gone;
    const outage = queue.detach();

    await using next = await loadedEngine();
    queue.attach(next);
    await outage;

    expect(
      (await settled).map(result => (result.status === 'rejected' ? result.reason.code : 'answered')),
    ).toEqual(['E_ENGINE_TIMEOUT', 'E_ENGINE_DIED', 'answered']);
  });

  test('lets nobody wait longer than an outage may be, and recovers', async () => {
    const queue = batcher({ outageMs: 5 });
    queue.attach(engine);
    const outage = queue.detach();
    const waiting = ask(queue, 1);

    await expect(waiting).rejects.toMatchObject({ code: 'E_MODEL_NOT_READY' });
    await outage;
    await expect(ask(queue, 1)).rejects.toMatchObject({ code: 'E_MODEL_NOT_READY' });

    queue.attach(engine);
    await expect(ask(queue, 1)).resolves.toBeDefined();
  });

  test('is idle once the last answer is out, and refuses after closing', async () => {
    const queue = batcher();
    queue.attach(engine);
    let isAnswered = false;
    const answer = ask(queue, 1).then(() => {
      isAnswered = true;
    });

    await queue.idle();
    await answer;

    expect(isAnswered).toBe(true);
    queue.close(new SwitchbackError('E_MODEL_NOT_READY', 'Closed.'));
    await expect(ask(queue, 1)).rejects.toMatchObject({ message: 'Closed.' });
  });
});
