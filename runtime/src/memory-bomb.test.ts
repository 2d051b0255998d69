import type { Backend } from '@switchback-ml/schemas';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StartEngine } from './engine/engine.ts';
import { findConfinement } from './engine/onnx/confinement.ts';
import { intAttribute, onnxModel } from './engine/onnx/graph.fixture.ts';
import { onnxEngines } from './engine/onnx/index.ts';
import { column, int64s, plainGraph } from './preflight/hostile-model.fixture.ts';
import { type RuntimeFixture, startRuntimeFixture } from './runtime.fixture.ts';
import { BYTES, eventually, ratioBody, ratioVersion, sha256, snapshotOf } from './serving.fixture.ts';

const MIB = 2 ** 20;
/** Floats in a MiB. */
const FLOATS = MIB / 4;
const LIMIT_MIB = 256;
const LITTLE_MIB = 0.001;
/** ONNX Runtime keeps the memory of the largest batch that it has met, in blocks of its own sizes. */
const NEAR_LIMIT = 0.6 * LIMIT_MIB;
/** Which of twenty. */
const BOMB = 7;

/** `y = x` for rows of one number, for which the graph takes as many floats as the largest of the batch says. */
const expanding = onnxModel(
  plainGraph({
    inputs: [column('x')],
    outputs: [column('y')],
    initializers: [int64s('unit', 1)],
    nodes: [
      { op: 'ReduceMax', inputs: ['x'], outputs: ['largest'], attributes: [intAttribute('keepdims', 0)] },
      { op: 'Reshape', inputs: ['largest', 'unit'], outputs: ['single'] },
      { op: 'Cast', inputs: ['single'], outputs: ['count'], attributes: [intAttribute('to', 7)] },
      { op: 'ConstantOfShape', inputs: ['count'], outputs: ['zeros'] },
      { op: 'ReduceSum', inputs: ['zeros'], outputs: ['sum'], attributes: [intAttribute('keepdims', 0)] },
      { op: 'Add', inputs: ['x', 'sum'], outputs: ['y'] },
    ],
  }),
);

/** One row that takes so much memory. */
const taking = (mebibytes: number): string =>
  JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [mebibytes * FLOATS] }],
  });

interface HeldEngines {
  start: StartEngine;
  /** The rows of each batch of "expanding" since they were last shut. */
  batches: number[][];
  shut(): void;
  open(): void;
}

/** Real engines of which every batch of "expanding" is held back from `shut` until `open`. */
async function heldEngines(): Promise<HeldEngines> {
  const real = onnxEngines(await findConfinement());
  const batches: number[][] = [];
  let gate = Promise.resolve();
  let open = (): void => {};
  return {
    batches,
    async start(signal, awaited) {
      const engine = await real(signal, awaited);
      const infer = engine.infer.bind(engine);
      engine.infer = async (inputs, timeoutMs) => {
        const x = inputs.get('x');
        if (x !== undefined) {
          batches.push(Array.from(x.data, Number));
          await gate;
        }
        return infer(inputs, timeoutMs);
      };
      return engine;
    },
    shut() {
      batches.length = 0;
      gate = new Promise(resolve => {
        open = resolve;
      });
    },
    open: () => open(),
  };
}

/** Serves "expanding" and "ratio". */
async function serve(runtime: RuntimeFixture): Promise<Backend> {
  const spec = { datatype: 'FP32' as const, shape: [-1, 1] };
  const tensor = { datatype: 'FP32', shape: [2, 1], data: [4, 1] };
  const golden = Buffer.from(JSON.stringify({ inputs: { x: tensor }, outputs: { y: tensor } }));
  const ratio = ratioVersion({ model: BYTES.onnx() });
  const { backend } = ratioVersion({
    label: 'expanding',
    model: expanding,
    signature: { inputs: { x: spec }, outputs: { y: spec } },
    limits: { memoryBytes: LIMIT_MIB * MIB, timeoutMs: 30_000 },
  });
  backend.artifacts['golden.json'] = { sha256: sha256(golden) as never, size: golden.length };
  for (const bytes of [golden, expanding, ...ratio.objects.values()])
    runtime.controller.objects.set(sha256(bytes), bytes);
  runtime.controller.publish(snapshotOf({ expanding: [backend], ratio: [ratio.backend] }));
  await eventually(async () => (await runtime.get('/v2/health/ready')).ok, 'readiness');
  return backend;
}

/** Asks "ratio" without a pause until it is told to stop; then says which statuses came. */
function calling(runtime: RuntimeFixture, callers: number): { stop(): Promise<number[]> } {
  const statuses: number[] = [];
  let isCalling = true;
  const all = Array.from({ length: callers }, async () => {
    while (isCalling) {
      const response = await runtime.infer(ratioBody([6], [3]));
      await response.arrayBuffer();
      statuses.push(response.status);
    }
  });
  const stop = async (): Promise<number[]> => {
    isCalling = false;
    await Promise.all(all);
    return statuses;
  };
  onTestFinished(async () => void (await stop()));
  return { stop };
}

const EXPANDING = '/v2/models/expanding/infer';

describe.skipIf(process.platform !== 'linux')('a bomb of memory', () => {
  test.each([
    ['more than an engine may hold', 2 * LIMIT_MIB, LITTLE_MIB, NEAR_LIMIT],
    ['more than the machine has', 64 * 1024, LITTLE_MIB, NEAR_LIMIT],
    ['more than an engine may hold, and the others much', 2 * LIMIT_MIB, 8, NEAR_LIMIT],
  ])(
    'that takes %s fails alone among nineteen others in its batch',
    async (_, bombMiB, otherMiB, heldMiB) => {
      const engines = await heldEngines();
      onTestFinished(() => engines.open());
      const runtime = await startRuntimeFixture({ startEngine: engines.start });
      const { revision } = await serve(runtime);
      expect((await runtime.infer(taking(heldMiB), EXPANDING)).status).toBe(200);
      const neighbours = calling(runtime, 2);

      engines.shut();
      const ahead: Promise<Response>[] = [];
      for (const seen of [1, 2]) {
        ahead.push(runtime.infer(taking(LITTLE_MIB), EXPANDING));
        await eventually(() => engines.batches.length === seen, 'one more aboard');
      }
      const asked = Array.from({ length: 20 }, (_, index) =>
        runtime.infer(taking(index === BOMB ? bombMiB : otherMiB), EXPANDING),
      );
      await eventually(() => waiting(runtime, 20), 'the batch');
      engines.open();
      const answers = await Promise.all(asked);

      const withBomb = engines.batches.filter(rows => rows.includes(bombMiB * FLOATS));
      expect(withBomb[0]!.length).toBeGreaterThan(10);
      expect(withBomb.at(-1)).toHaveLength(1);
      const [bomb] = answers.splice(BOMB, 1);
      expect(answers.map(({ status }) => status)).toEqual(Array(19).fill(200));
      expect((await Promise.all(ahead)).map(({ status }) => status)).toEqual([200, 200]);
      expect(bomb!.status).toBe(500);
      expect(await bomb!.json()).toMatchObject({
        code: 'E_ENGINE_MEMORY',
        error: expect.stringContaining('Raise limits.memory in serving.yaml.'),
      });
      expect(new Set(await neighbours.stop())).toEqual(new Set([200]));
      const { counts } = await runtime.observe();
      expect(counts.find(one => one.revision === revision)).toMatchObject({ attempts: 23, failures: 1 });
    },
  );
});

/** Whether so many requests wait for an engine of "expanding". */
async function waiting(runtime: RuntimeFixture, requests: number): Promise<boolean> {
  const text = await (await runtime.get('/metrics')).text();
  const told = /^switchback_queue_requests\{[^}]*model="expanding"[^}]*\} (\d+)$/m.exec(text);
  return Number(told?.[1]) === requests;
}
