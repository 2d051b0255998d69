import {
  ANSWERED_BY,
  InferenceResponse,
  type RevisionCounts,
  type RuntimeObservation,
} from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import type { Engine, StartEngine } from './engine/engine.ts';
import { memoryEngines } from './engine/memory/index.ts';
import { findConfinement } from './engine/onnx/confinement.ts';
import { ratioModel } from './engine/onnx/graph.fixture.ts';
import { onnxEngines } from './engine/onnx/index.ts';
import { startRuntimeFixture } from './runtime.fixture.ts';
import { BYTES, eventually, ratioBody, snapshotOf } from './serving.fixture.ts';

const ONE = ratioBody([6], [3]);
const ZERO_BY_ZERO = ratioBody([0], [0]);
const HANGING = ratioBody([2e6], [1]);

const stateOf = ({ loaded }: RuntimeObservation, version: string) =>
  loaded.find(one => one.version === version);
const countsOf = ({ counts }: RuntimeObservation, revision: string): RevisionCounts | undefined =>
  counts.find(one => one.revision === revision);

describe('a runtime with real engines', () => {
  const model = BYTES.onnx();
  const startEngine = async () => onnxEngines(await findConfinement());

  test('fails no request over twenty swaps of weights and revisions', async () => {
    const runtime = await startRuntimeFixture({ startEngine: await startEngine() });
    await runtime.serve({ label: '0', model });
    const statuses: number[] = [];
    let isSwapping = true;
    const callers = Array.from({ length: 8 }, async () => {
      while (isSwapping) {
        const response = await runtime.infer(ONE);
        statuses.push(response.status);
        await response.arrayBuffer();
      }
    });

    for (let swap = 1; swap <= 20; swap++) {
      const isSplit = swap % 2 === 1;
      const next = { label: String(Math.ceil(swap / 2)), model, weight: isSplit ? 30 : 100 };
      const old = { label: String(Math.ceil(swap / 2) - 1), model, weight: 70 };
      await runtime.serve(...(isSplit ? [old, next] : [next]));
    }
    isSwapping = false;
    await Promise.all(callers);

    expect(statuses.length).toBeGreaterThan(100);
    expect(statuses.filter(status => status !== 200)).toEqual([]);
    await eventually(async () => (await runtime.observe()).loaded.length === 1, 'unloading');
  });

  test('fails no request when engines are killed, and counts what was aboard', async () => {
    const runtime = await startRuntimeFixture({ startEngine: await startEngine() });
    const [stable] = await runtime.serve({ label: 'stable', model });
    const statuses: number[] = [];
    let isKilling = true;
    const callers = Array.from({ length: 8 }, async () => {
      while (isKilling) statuses.push((await runtime.infer(ONE)).status);
    });

    for (let kill = 0; kill < 4; kill++) {
      const answered = statuses.length;
      const pid = stateOf(await runtime.observe(), 'stable')!.pid!;
      process.kill(pid, 'SIGKILL');
      await eventually(async () => {
        const now = stateOf(await runtime.observe(), 'stable');
        return now?.state === 'ready' && now.pid !== pid && statuses.length > answered + 50;
      }, 'a replaced engine');
    }
    isKilling = false;
    await Promise.all(callers);

    expect(statuses.filter(status => status !== 200)).toEqual([]);
    const counts = countsOf(await runtime.observe(), stable!.revision)!;
    expect(counts.failures).toBeGreaterThan(0);
    expect(counts.attempts).toBe(statuses.length + counts.failures);
    expect(counts.indicators.available).toEqual({ good: statuses.length, total: counts.attempts });
  });

  test('counts nobody against a candidate who went elsewhere while its engine was replaced', async () => {
    const mayLoad = Promise.withResolvers<void>();
    const engines = heldBack(await startEngine(), () => isHeld, mayLoad.promise);
    let isHeld = false;
    const runtime = await startRuntimeFixture({ startEngine: engines, random: () => 0.99 });
    const [stable, candidate] = await runtime.serve(
      { label: 'stable', model, weight: 90 },
      { label: 'candidate', model: ratioModel(100), weight: 10 },
    );
    isHeld = true;
    process.kill(stateOf(await runtime.observe(), 'candidate')!.pid!, 'SIGKILL');
    await eventually(
      async () => stateOf(await runtime.observe(), 'candidate')?.state !== 'ready',
      'a candidate that is being replaced',
    );

    const answers = await Promise.all(Array.from({ length: 5 }, () => runtime.infer(ONE)));
    mayLoad.resolve();
    await eventually(
      async () => stateOf(await runtime.observe(), 'candidate')?.state === 'ready',
      'a replaced engine',
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const observation = await runtime.observe();
    expect(countsOf(observation, stable!.revision)?.attempts).toBe(5);
    expect(countsOf(observation, candidate!.revision)?.failures ?? 0).toBe(0);
  });

  test('answers from the sibling when the candidate hangs, and counts it against the candidate', async () => {
    const runtime = await startRuntimeFixture({ startEngine: await startEngine(), random: () => 0.99 });
    const hangsSooner = ratioModel(100);
    const [stable, candidate] = await runtime.serve(
      { label: 'stable', model, weight: 90 },
      { label: 'candidate', model: hangsSooner, weight: 10, limits: { timeoutMs: 150 } },
    );
    const before = stateOf(await runtime.observe(), 'candidate')!.pid!;

    const response = await runtime.infer(ratioBody([600], [3]));

    expect(response.status).toBe(200);
    expect(response.headers.get(ANSWERED_BY.version)).toBe('stable');
    expect(await response.json()).toMatchObject({ outputs: [{ data: [200] }] });
    const observation = await runtime.observe();
    expect(countsOf(observation, candidate!.revision)).toMatchObject({ attempts: 1, failures: 1 });
    expect(countsOf(observation, stable!.revision)).toMatchObject({ attempts: 1, failures: 0 });
    await eventually(async () => {
      const now = stateOf(await runtime.observe(), 'candidate');
      return now?.state === 'ready' && now.pid !== before;
    }, 'a replaced engine');
  });

  test('fails nobody of several who were aboard an engine that was killed from outside', async () => {
    const killed: number[] = [];
    const hold = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const real = await startEngine();
    const runtime = await startRuntimeFixture({
      startEngine: async signal => {
        const engine = await real(signal);
        const infer = engine.infer.bind(engine);
        engine.infer = async (inputs, timeoutMs) => {
          const values = Array.from(inputs.get('numerator')!.data, Number);
          if (values.includes(1000)) {
            held.resolve();
            await hold.promise;
          }
          const isFatal = values.length > 1 && values.includes(600) && killed.length === 0;
          if (isFatal) process.kill(engine.pid!, 'SIGSTOP');
          const answer = infer(inputs, timeoutMs);
          if (isFatal) {
            killed.push(values.filter(value => value === 600).length);
            process.kill(engine.pid!, 'SIGKILL');
          }
          return answer;
        };
        return engine;
      },
    });
    const [only] = await runtime.serve({ label: '1', model });
    const ahead = [runtime.infer(ratioBody([1000], [1]))];
    await held.promise;
    ahead.push(runtime.infer(ratioBody([1000], [1])));
    const together = Array.from({ length: 6 }, () => runtime.infer(ratioBody([600], [3])));
    await eventually(async () => {
      const text = await (await runtime.get('/metrics')).text();
      return /^switchback_queue_requests\{.*\} [67]$/m.test(text);
    }, 'several who wait');

    hold.resolve();

    const answers = await Promise.all([...ahead, ...together]);
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(killed[0]).toBeGreaterThan(1);
    const counts = countsOf(await runtime.observe(), only!.revision)!;
    expect(counts.failures).toBeGreaterThanOrEqual(killed[0]!);
    expect(counts.attempts).toBe(8 + counts.failures);
    expect(stateOf(await runtime.observe(), '1')!.replaced).toMatchObject([{ cause: 'died' }]);
  });
});

describe('a runtime', () => {
  test('never makes a version ready that misses its golden answers, and keeps the old one', async () => {
    const runtime = await startRuntimeFixture();
    await runtime.serve({ label: 'good' });

    runtime.publish({ label: 'bad', golden: 2.1 });
    const failed = await eventually(async () => {
      const bad = stateOf(await runtime.observe(), 'bad');
      return bad?.state === 'failed' && bad;
    }, 'the failure');

    expect(failed.failure).toEqual({
      code: 'E_MODEL_GOLDEN',
      message: expect.stringContaining('row 0: ratio is 2 and should be 2.0'),
    });
    const response = await runtime.infer(ONE);
    expect(response.status).toBe(200);
    expect(response.headers.get(ANSWERED_BY.version)).toBe('good');
    expect((await runtime.get('/v2/health/ready')).status).toBe(200);
  });

  test.each([
    [
      'a signature that is not the graph’s',
      { signature: { inputs: {}, outputs: { ratio: { datatype: 'FP32' as const, shape: [-1, 1] } } } },
      'E_MODEL_SIGNATURE',
    ],
    ['bytes that are no model', { model: Buffer.from('nonsense') }, 'E_MODEL_LOAD'],
  ])('fails a version for %s', async (_, options, code) => {
    const runtime = await startRuntimeFixture();

    runtime.publish(options);

    const failed = await eventually(async () => {
      const [only] = (await runtime.observe()).loaded;
      return only?.state === 'failed' && only;
    }, 'the failure');
    expect(failed.failure?.code).toBe(code);
    const response = await runtime.infer(ONE);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'E_MODEL_NOT_READY' });
  });

  test('says why an artifact can not be pulled, and serves as soon as it can', async () => {
    const runtime = await startRuntimeFixture();
    const [backend] = runtime.publish({ label: '1' });
    const digest = backend!.artifacts['model.onnx']!.sha256;
    const bytes = runtime.controller.objects.get(digest)!;
    runtime.controller.objects.delete(digest);
    runtime.controller.publish(snapshotOf({ ratio: [{ ...backend!, weight: 100 }] }));
    const waiting = await eventually(async () => {
      const one = stateOf(await runtime.observe(), '1');
      return one?.failure && one;
    }, 'the failed pull');
    expect(waiting).toMatchObject({ state: 'pulling', failure: { code: 'E_ARTIFACT_PULL' } });

    runtime.controller.objects.set(digest, bytes);

    await eventually(async () => (await runtime.get('/v2/health/ready')).ok, 'readiness');
    expect((await runtime.infer(ONE)).status).toBe(200);
  });

  test('answers a NaN with null and says where, and counts it as bad by the objective that looks', async () => {
    const runtime = await startRuntimeFixture();
    const [backend] = await runtime.serve({
      indicators: [{ kind: 'available' }, { kind: 'valid', output: 'ratio', within: [0, 1] }],
    });

    const nan = await runtime.infer(ZERO_BY_ZERO);
    await runtime.infer(ratioBody([1], [2]));
    await runtime.infer(ratioBody([5], [2]));

    expect(nan.status).toBe(200);
    expect(InferenceResponse.parse(await nan.json()).outputs).toEqual([
      { name: 'ratio', shape: [1, 1], datatype: 'FP32', parameters: { non_finite: true }, data: [null] },
    ]);
    expect(countsOf(await runtime.observe(), backend!.revision)).toEqual({
      model: 'ratio',
      revision: backend!.revision,
      attempts: 3,
      failures: 0,
      nonFinite: 1,
      indicators: { available: { good: 3, total: 3 }, valid: { good: 1, total: 3 } },
    });
  });

  test('counts neither what the caller got wrong nor a version that was asked for by name', async () => {
    const runtime = await startRuntimeFixture();
    await runtime.serve({ label: '1' });

    expect((await runtime.infer('{}')).status).toBe(400);
    expect((await runtime.infer(ratioBody([1, 2], [1]))).status).toBe(400);
    expect((await runtime.infer(ONE, '/v2/models/ratio/versions/1/infer')).status).toBe(200);

    expect((await runtime.observe()).counts).toEqual([]);
  });

  test('keeps a weight-0 version warm without sending it anything', async () => {
    const runtime = await startRuntimeFixture();
    const [, warm] = await runtime.serve({ label: '1', weight: 100 }, { label: '2', weight: 0 });
    await eventually(async () => stateOf(await runtime.observe(), '2')?.state === 'ready', 'a warm version');

    for (let request = 0; request < 20; request++) await runtime.infer(ONE);

    expect(countsOf(await runtime.observe(), warm!.revision)).toBeUndefined();
    const named = await runtime.infer(ONE, '/v2/models/ratio/versions/2/infer');
    expect(named.headers.get(ANSWERED_BY.version)).toBe('2');
  });

  test('lets a revision rest after five crashes within a minute, and answers from its sibling', async () => {
    // What comes between crashes is waited for shortly; the rest, which is longer, in full.
    const hasty = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) =>
        systemClock.sleep(ms < 900 ? Math.min(ms, 20) : ms * 20, signal),
    };
    const runtime = await startRuntimeFixture({ clock: hasty, random: () => 0.99 });
    await runtime.serve(
      { label: 'stable', weight: 90 },
      { label: 'candidate', weight: 10, limits: { timeoutMs: 10 } },
    );

    const failed = await eventually(async () => {
      await runtime.infer(HANGING, '/v2/models/ratio/versions/candidate/infer');
      const candidate = stateOf(await runtime.observe(), 'candidate');
      return candidate?.state === 'failed' && candidate;
    }, 'giving up');

    expect(failed.failure).toEqual({
      code: 'E_ENGINE_DIED',
      message: expect.stringContaining('again and again'),
    });
    const response = await runtime.infer(ONE);
    expect(response.status).toBe(200);
    expect(response.headers.get(ANSWERED_BY.version)).toBe('stable');
    const ready = await runtime.get('/v2/health/ready');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({
      ready: true,
      reasons: [
        {
          code: 'E_ENGINE_DIED',
          model: 'ratio',
          version: 'candidate',
          message: 'Version candidate of ratio has requests routed to it and is not ready.',
        },
      ],
    });
  });

  test('lets a revision answer what it has aboard before it is unloaded', async () => {
    const gate = Promise.withResolvers<void>();
    const aboard = Promise.withResolvers<void>();
    let isGated = false;
    const runtime = await startRuntimeFixture({ startEngine: signal => gatedEngine(signal) });
    async function gatedEngine(signal: AbortSignal): Promise<Engine> {
      const engine = await memoryEngines()(signal);
      return {
        pid: undefined,
        gone: engine.gone,
        load: request => engine.load(request),
        async infer(inputs, timeoutMs) {
          if (isGated) {
            aboard.resolve();
            await gate.promise;
          }
          return engine.infer(inputs, timeoutMs);
        },
        residentBytes: () => engine.residentBytes(),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
    }
    await runtime.serve({ label: 'old' });
    isGated = true;
    const asked = runtime.infer(ONE);
    await aboard.promise;

    isGated = false;
    await runtime.serve({ label: 'new' });
    gate.resolve();

    expect((await asked).headers.get(ANSWERED_BY.version)).toBe('old');
    await eventually(async () => (await runtime.observe()).loaded.length === 1, 'unloading');
  });

  test('says that its port is taken, and leaves nothing behind', async () => {
    const { address } = await startRuntimeFixture();
    const port = Number(new URL(address).port);

    await expect(startRuntimeFixture({ port })).rejects.toMatchObject({ code: 'E_PORT_TAKEN' });
  });

  test('lets a request that hangs an engine alone kill that one, and no other of its revision', async () => {
    const runtime = await startRuntimeFixture();
    const [only] = await runtime.serve({ label: '1', limits: { timeoutMs: 20 } });

    const response = await runtime.infer(HANGING);

    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: 'E_ENGINE_TIMEOUT' });
    const ready = await eventually(async () => {
      const one = stateOf(await runtime.observe(), '1');
      return one?.state === 'ready' && one.replaced && one;
    }, 'a replaced engine');
    expect(ready.replaced).toMatchObject([{ cause: 'late' }]);
    expect(countsOf(await runtime.observe(), only!.revision)).toMatchObject({ attempts: 1, failures: 1 });
    expect((await runtime.infer(ONE)).status).toBe(200);
  });

  test('lets a request that kills its engine kill one of a sibling at most', async () => {
    const runtime = await startRuntimeFixture();
    await runtime.serve(
      { label: 'a', weight: 50, limits: { timeoutMs: 20 } },
      { label: 'b', weight: 50, limits: { timeoutMs: 20 } },
    );

    const response = await runtime.infer(HANGING);

    expect(response.status).toBe(504);
    const { counts } = await runtime.observe();
    expect(counts.map(({ attempts, failures }) => [attempts, failures])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});

/** The same engines, whose loading waits while it is held back. */
function heldBack(start: StartEngine, isHeld: () => boolean, mayLoad: Promise<void>): StartEngine {
  return async signal => {
    const engine = await start(signal);
    return {
      get pid() {
        return engine.pid;
      },
      gone: engine.gone,
      load: async request => {
        if (isHeld()) await mayLoad;
        return engine.load(request);
      },
      infer: (inputs, timeoutMs) => engine.infer(inputs, timeoutMs),
      residentBytes: () => engine.residentBytes(),
      [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
    };
  };
}
