import { readFile } from 'node:fs/promises';
import { ANSWERED_BY, type Backend, type Loaded, type RuntimeObservation } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { hastyClock } from './clock.fixture.ts';
import type { Engine, StartEngine } from './engine/engine.ts';
import { findConfinement } from './engine/onnx/confinement.ts';
import { hungryModel, ratioModel } from './engine/onnx/graph.fixture.ts';
import { onnxEngines } from './engine/onnx/index.ts';
import { type RuntimeFixture, startRuntimeFixture } from './runtime.fixture.ts';
import { BYTES, eventually, KEY, ratioBody, ratioVersion, sha256, snapshotOf } from './serving.fixture.ts';

const ONE = ratioBody([6], [3]);
const HANGING = ratioBody([2e6], [1]);
const MIB = 2 ** 20;
const model = BYTES.onnx();

const realEngines = async (): Promise<StartEngine> => onnxEngines(await findConfinement());

const loadedOf = ({ loaded }: RuntimeObservation, version: string): Loaded | undefined =>
  loaded.find(one => one.version === version);

async function readyOf(
  runtime: RuntimeFixture,
  version: string,
  notPid: number | null = null,
): Promise<Loaded> {
  return eventually(async () => {
    const one = loadedOf(await runtime.observe(), version);
    return one?.state === 'ready' && one.pid !== notPid && one;
  }, `${version} being ready`);
}

/** Asks without a pause until it is told to stop; then says which statuses came. */
function calling(runtime: RuntimeFixture, callers: number, ...call: Parameters<RuntimeFixture['infer']>) {
  const statuses: number[] = [];
  let isCalling = true;
  const all = Array.from({ length: callers }, async () => {
    while (isCalling) {
      const response = await runtime.infer(...call);
      await response.arrayBuffer();
      statuses.push(response.status);
    }
  });
  return {
    statuses,
    async stop(): Promise<number[]> {
      isCalling = false;
      await Promise.all(all);
      return statuses;
    },
  };
}

describe('a real engine', () => {
  test.skipIf(process.platform !== 'linux')(
    'F14: that is killed with a request aboard costs nobody an answer, and one retry goes to a sibling',
    async () => {
      const runtime = await startRuntimeFixture({ startEngine: await realEngines(), random: () => 0.99 });
      const [stable, candidate] = await runtime.serve(
        { label: 'stable', model, weight: 90 },
        { label: 'candidate', model: ratioModel(100), weight: 10, limits: { timeoutMs: 20_000 } },
      );
      const { pid } = await readyOf(runtime, 'candidate');
      const others = calling(runtime, 4, ONE, '/v2/models/ratio/versions/stable/infer');
      const before = await ticksOf(pid!);
      const aboard = runtime.infer(ratioBody([600], [3]));
      await eventually(async () => (await ticksOf(pid!)) > before + 5, 'the request being aboard');

      process.kill(pid!, 'SIGKILL');

      const answer = await aboard;
      expect(answer.headers.get(ANSWERED_BY.version)).toBe('stable');
      expect(await answer.json()).toMatchObject({ outputs: [{ data: [200] }] });
      expect((await readyOf(runtime, 'candidate', pid)).replaced).toEqual([
        { at: expect.any(Number), cause: 'died', reason: 'it was ended by SIGKILL' },
      ]);
      expect(new Set(await others.stop())).toEqual(new Set([200]));
      const { counts } = await runtime.observe();
      const countsOf = (backend?: Backend) => counts.find(({ revision }) => revision === backend?.revision);
      expect(countsOf(candidate)).toMatchObject({ attempts: 1, failures: 1 });
      expect(countsOf(stable)).toMatchObject({ attempts: 1, failures: 0 });
    },
  );

  test('that hangs while it is idle is found and replaced before a request meets it, and nothing is counted', async () => {
    const runtime = await startRuntimeFixture({ startEngine: await realEngines(), clock: hastyClock(20) });
    await runtime.serve({ label: '1', model });
    const { pid } = await readyOf(runtime, '1');

    process.kill(pid!, 'SIGSTOP');

    const after = await readyOf(runtime, '1', pid);
    expect(after.replaced).toMatchObject([{ cause: 'hung', reason: expect.stringContaining('heartbeat') }]);
    expect((await runtime.infer(ONE)).status).toBe(200);
    expect((await runtime.observe()).counts).toMatchObject([{ attempts: 1, failures: 0 }]);
    const metrics = await (await runtime.get('/metrics')).text();
    expect(metrics).toContain('switchback_engine_restarts_total{model="ratio",cause="hung"} 1');
  });

  test('that answers wrongly is replaced, by one that gave its golden answers', async () => {
    let isRotten = false;
    const start = await realEngines();
    const rotting: StartEngine = async signal => {
      const engine = await start(signal);
      return changed(engine, {
        infer: async (inputs, timeoutMs) => {
          const outputs = await engine.infer(inputs, timeoutMs);
          const ratio = outputs.get('ratio');
          return isRotten && ratio !== undefined
            ? new Map([['ratio', { ...ratio, data: Float32Array.of(7) }]])
            : outputs;
        },
      });
    };
    const runtime = await startRuntimeFixture({ startEngine: rotting, clock: hastyClock(20) });
    await runtime.serve({ label: '1', model });
    const { pid } = await readyOf(runtime, '1');

    isRotten = true;
    const lost = await eventually(async () => {
      const one = loadedOf(await runtime.observe(), '1');
      return one?.replaced && one;
    }, 'the wrong answer being found');
    isRotten = false;

    expect(lost.replaced?.[0]?.reason).toContain('ratio is 7 and should be 2');
    await readyOf(runtime, '1', pid);
    const answer = await (await runtime.infer(ONE)).json();
    expect(answer).toMatchObject({ outputs: [{ data: [2] }] });
  });

  test.skipIf(process.platform !== 'linux')(
    'that is bloated is replaced without a failed request, and its memory is free again',
    async () => {
      const runtime = await startRuntimeFixture({ startEngine: await realEngines(), clock: hastyClock(20) });
      publishHungry(runtime);
      const { pid } = await readyOf(runtime, 'hungry');
      const small = calling(runtime, 2, hungryBody(1000), '/v2/models/hungry/infer');

      expect((await runtime.infer(hungryBody(110 * MIB), '/v2/models/hungry/infer')).status).toBe(200);

      const after = await readyOf(runtime, 'hungry', pid);
      expect(after.replaced).toMatchObject([
        { cause: 'bloated', reason: expect.stringMatching(/held \d+ MiB/) },
      ]);
      expect(new Set(await small.stop())).toEqual(new Set([200]));
      await eventually(() => isGone(pid!), 'the end of the bloated engine');
      const { counts } = await runtime.observe();
      expect(counts).toMatchObject([{ failures: 0 }]);
    },
  );

  test('F15: that hangs again and again makes its revision shed requests instead of burning engines', async () => {
    let started = 0;
    const start = await realEngines();
    const counted: StartEngine = signal => {
      started++;
      return start(signal);
    };
    const runtime = await startRuntimeFixture({ startEngine: counted, random: () => 0.99 });
    await runtime.serve({ label: '1', model, limits: { timeoutMs: 100 } });

    const resting = await eventually(async () => {
      await (await runtime.infer(HANGING)).arrayBuffer();
      const one = loadedOf(await runtime.observe(), '1');
      return one?.state === 'failed' && one;
    }, 'the rest');
    expect(resting.failure?.code).toBe('E_ENGINE_DIED');
    expect(resting.retryAt).toBeGreaterThan(resting.since);
    expect(resting.replaced?.map(({ cause }) => cause)).toEqual(Array(5).fill('late'));
    const before = started;
    const shed = await Promise.all(Array.from({ length: 20 }, () => runtime.infer(HANGING)));
    expect(new Set(shed.map(({ status }) => status))).toEqual(new Set([503]));
    expect(shed[0]!.headers.get('retry-after')).not.toBeNull();
    expect(started - before).toBeLessThanOrEqual(1);

    const back = await readyOf(runtime, '1');
    expect(back.retryAt).toBeUndefined();
    expect(back.failure).toBeUndefined();
    expect((await runtime.infer(ONE)).status).toBe(200);
  });

  test.skipIf(process.platform !== 'linux')(
    'F16: whose graph asks for all memory fails that request alone, and this process stays small',
    async () => {
      const runtime = await startRuntimeFixture({ startEngine: await realEngines() });
      publishHungry(runtime);
      await readyOf(runtime, 'hungry');
      await readyOf(runtime, '1.0.0');
      const before = process.memoryUsage().rss;
      const others = calling(runtime, 2, ONE);

      const bomb = await runtime.infer(hungryBody(4 * 2 ** 30), '/v2/models/hungry/infer');
      const next = await eventually(async () => {
        const response = await runtime.infer(hungryBody(1000), '/v2/models/hungry/infer');
        return response.status === 200 && response;
      }, 'an answer after the bomb');

      expect(bomb.status).toBeGreaterThanOrEqual(500);
      expect(await bomb.json()).toMatchObject({ code: expect.stringMatching(/E_ENGINE_(MEMORY|DIED)/) });
      expect(next.status).toBe(200);
      expect(new Set(await others.stop())).toEqual(new Set([200]));
      expect(process.memoryUsage().rss - before).toBeLessThan(300 * MIB);
    },
  );

  test('F17: of a version that dies at each start leaves all traffic to stable, and is tried again by itself', async () => {
    let isDeadly = true;
    const start = await realEngines();
    const deadly: StartEngine = async signal => {
      const engine = await start(signal);
      return changed(engine, {
        load: request => {
          if (isDeadly && request.memoryBytes === 256 * MIB) process.kill(engine.pid!, 'SIGKILL');
          return engine.load(request);
        },
      });
    };
    const runtime = await startRuntimeFixture({ startEngine: deadly, random: () => 0.5 });
    await runtime.serve({ label: 'stable', model });
    const calls = calling(runtime, 2, ONE);

    runtime.publish(
      { label: 'stable', model, weight: 90 },
      { label: 'candidate', model, weight: 10, limits: { memoryBytes: 256 * MIB } },
    );
    const failed = await eventually(async () => {
      const one = loadedOf(await runtime.observe(), 'candidate');
      return one?.state === 'failed' && one;
    }, 'the candidate failing');

    expect(failed).toMatchObject({ failure: { code: 'E_ENGINE_DIED' }, retryAt: expect.any(Number) });
    expect(failed.attested).toBeUndefined();
    expect(await (await runtime.get('/v2/health/ready')).json()).toMatchObject({
      ready: true,
      reasons: [{ code: 'E_ENGINE_DIED', model: 'ratio', version: 'candidate' }],
    });
    isDeadly = false;
    expect((await readyOf(runtime, 'candidate')).retryAt).toBeUndefined();
    expect(new Set(await calls.stop())).toEqual(new Set([200]));
  });

  test('started ahead that hangs costs a new version a moment, and is not held against it', async () => {
    const pids: number[] = [];
    const start = await realEngines();
    const runtime = await startRuntimeFixture({
      startEngine: async signal => {
        const engine = await start(signal);
        pids.push(engine.pid!);
        return engine;
      },
    });
    const [first] = await eventually(() => pids.length > 0 && pids, 'the spare');
    process.kill(first!, 'SIGSTOP');

    await runtime.serve({ label: '1', model });

    const { pid, replaced } = await readyOf(runtime, '1');
    expect(pid).not.toBe(first);
    expect(replaced).toBeUndefined();
    await eventually(() => isGone(first!), 'the end of the one that hung');
  });

  test('F20: serves through two hundred swaps under load without one failed request', async () => {
    const runtime = await startRuntimeFixture({ startEngine: await realEngines() });
    const versions = ['a', 'b'].map(label => ratioVersion({ label, model }));
    for (const { objects } of versions)
      for (const [name, bytes] of objects) runtime.controller.objects.set(name, bytes);
    const routed = (swap: number): Backend[] =>
      versions.map(({ backend }, index) => ({ ...backend, weight: index === swap % 2 ? 100 : 0 }));
    const applied = async (swap: number): Promise<void> => {
      const snapshot = snapshotOf({ ratio: routed(swap) }, [KEY, String(swap)]);
      runtime.controller.publish(snapshot);
      await eventually(async () => {
        const { routes } = await runtime.observe();
        return Object.values(routes)[0]?.generation === snapshot.generation;
      }, 'the swap');
    };
    await applied(0);
    await readyOf(runtime, 'b');
    const calls = calling(runtime, 2, ONE);

    for (let swap = 1; swap <= 200; swap++) await applied(swap);

    const statuses = await calls.stop();
    expect(statuses.length).toBeGreaterThan(200);
    expect(statuses.filter(status => status !== 200)).toEqual([]);
  });
});

/** The same engine with some of its methods changed. */
function changed(engine: Engine, by: Partial<Pick<Engine, 'load' | 'infer'>>): Engine {
  return {
    pid: engine.pid,
    gone: engine.gone,
    load: by.load ?? (request => engine.load(request)),
    infer: by.infer ?? ((inputs, timeoutMs) => engine.infer(inputs, timeoutMs)),
    residentBytes: () => engine.residentBytes(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/** The models "hungry", which takes as much memory as it is told to, and "ratio". */
function publishHungry(runtime: RuntimeFixture): void {
  const golden = Buffer.from(
    JSON.stringify({
      inputs: { count: { datatype: 'INT64', shape: [1], data: [4] } },
      outputs: { sum: { datatype: 'FP32', shape: [1], data: [0] } },
    }),
  );
  const ratio = ratioVersion({ model });
  const { backend } = ratioVersion({
    label: 'hungry',
    model: hungryModel(),
    signature: {
      inputs: { count: { datatype: 'INT64', shape: [1] } },
      outputs: { sum: { datatype: 'FP32', shape: [] } },
    },
    limits: { memoryBytes: 640 * MIB, timeoutMs: 10_000 },
  });
  backend.artifacts['golden.json'] = { sha256: sha256(golden) as never, size: golden.length };
  for (const bytes of [golden, hungryModel(), ...ratio.objects.values()])
    runtime.controller.objects.set(sha256(bytes), bytes);
  runtime.controller.publish(snapshotOf({ hungry: [backend], ratio: [ratio.backend] }));
}

function hungryBody(count: number): string {
  return JSON.stringify({ inputs: [{ name: 'count', datatype: 'INT64', shape: [1], data: [count] }] });
}

/** Ticks that a process has spent computing: a hanging graph burns them. */
async function ticksOf(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[13]);
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
