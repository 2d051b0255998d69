import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { findConfinement } from '../engine/onnx/confinement.ts';
import { identityModel, onnxModel } from '../engine/onnx/graph.fixture.ts';
import { onnxEngines } from '../engine/onnx/index.ts';
import {
  column,
  constantBombModel,
  loadBombModel,
  loopModel,
  neighbourlyModel,
  plainGraph,
  randomModel,
  runBombModel,
} from '../preflight/hostile-model.fixture.ts';
import { type Demands, prepareEngine } from './prepare.ts';

const TIMEOUT_MS = 20_000;
const SPEC = { datatype: 'FP32' as const, shape: [-1, 1] };
const DEMANDS: Demands = {
  signature: { inputs: { x: SPEC }, outputs: { y: SPEC } },
  limits: { memoryBytes: 256 * 2 ** 20, maxBatch: 2 },
  artifacts: {},
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-prepare-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Version {
  model: Uint8Array;
  /** Golden answers to these rows. */
  rows?: readonly number[];
  answers?: readonly number[];
  tolerance?: number;
  signature?: Demands['signature'];
  isFirst?: boolean;
  /** A shorter deadline for each run than for opening the graph, which a busy machine may hold up. */
  runMs?: number;
}

/** Makes an engine of its own ready for a version of `y = f(x)`. */
async function prepare(version: Version): Promise<void> {
  const { model, rows = [1, 2, 3], answers = rows, tolerance, isFirst = true, runMs = TIMEOUT_MS } = version;
  const { signature = DEMANDS.signature } = version;
  const { datatype } = signature.inputs['x']!;
  const tensor = (data: readonly number[]) => ({ datatype, shape: [data.length, 1], data });
  const paths = { model: join(folder, 'model.onnx'), golden: join(folder, 'golden.json') };
  await writeFile(paths.model, model);
  await writeFile(
    paths.golden,
    JSON.stringify({ inputs: { x: tensor(rows) }, outputs: { y: tensor(answers) } }),
  );
  const start = onnxEngines(await findConfinement());
  await using engine = await start(AbortSignal.timeout(20_000));
  const demands = { ...DEMANDS, signature, artifacts: { 'golden.json': { tolerance } } };
  await prepareEngine(hurried(engine, runMs), demands, paths, isFirst, TIMEOUT_MS);
}

function hurried(engine: Engine, runMs: number): Engine {
  return {
    pid: engine.pid,
    gone: engine.gone,
    load: request => engine.load(request),
    infer: inputs => engine.infer(inputs, runMs),
    residentBytes: () => engine.residentBytes(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

describe('preparing an engine', () => {
  test('ends in peace when the graph is what was declared and answers as it should', async () => {
    await expect(prepare({ model: onnxModel(plainGraph()) })).resolves.toBeUndefined();
  });

  test.each([
    ['an input', { inputs: [column('x'), column('more')] }, 'an undeclared input "more"'],
    ['another shape', { inputs: [column('x', ['rows', 2])] }, 'is FP32 [-1, 2] in the graph'],
  ])('refuses a graph with %s that was not declared', async (_, extra, what) => {
    await expect(prepare({ model: onnxModel(plainGraph(extra)) })).rejects.toMatchObject({
      code: 'E_MODEL_SIGNATURE',
      message: expect.stringContaining(what),
    });
  });

  test('refuses answers beyond the tolerance, and takes those within', async () => {
    const version = { model: onnxModel(plainGraph()), answers: [1, 2, 3.5] };

    await expect(prepare(version)).rejects.toMatchObject({
      code: 'E_MODEL_GOLDEN',
      message: expect.stringContaining('row 2: y is 3 and should be 3.5'),
    });
    await expect(prepare({ ...version, tolerance: 0.2 })).resolves.toBeUndefined();
  });

  test('makes one ready for a model of halves, which may be off by their last bit', async () => {
    const spec = { datatype: 'FP16' as const, shape: [-1, 1] };
    const signature = { inputs: { x: spec }, outputs: { y: spec } };
    const halves = { model: identityModel('FP16', ['rows', 1]), rows: [0.1, 65_504, -2], signature };

    await expect(prepare(halves)).resolves.toBeUndefined();
    await expect(prepare({ ...halves, answers: [0.1, 65_504, -2.001] })).resolves.toBeUndefined();
    await expect(prepare({ ...halves, answers: [0.1, 65_504, -2.01] })).rejects.toMatchObject({
      code: 'E_MODEL_GOLDEN',
      message: expect.stringContaining('row 2: y is -2 and should be -2.0098 (tolerance 0.001)'),
    });
  });

  test('refuses a model of BF16 by its tensors, and says how to export it', async () => {
    const model = identityModel('BF16', ['rows', 1]);

    await expect(prepare({ model })).rejects.toMatchObject({
      code: 'E_MODEL_LOAD',
      message: expect.stringContaining('input "x", output "y" are BF16, which can not be served. Export'),
    });
  });

  test('refuses a NaN among the answers, whatever the tolerance', async () => {
    const model = onnxModel(plainGraph({ nodes: [{ op: 'Log', inputs: ['x'], outputs: ['y'] }] }));

    await expect(prepare({ model, rows: [-1], answers: [0], tolerance: 1 })).rejects.toMatchObject({
      code: 'E_MODEL_GOLDEN',
      message: expect.stringContaining('y is NaN'),
    });
  });

  test('refuses answers that hang on chance', async () => {
    await expect(prepare({ model: randomModel() })).rejects.toMatchObject({ code: 'E_MODEL_GOLDEN' });
  });

  test('refuses answers that hang on the rows beside them, though each batch answers as it did', async () => {
    const version = { model: neighbourlyModel(), rows: [1, 3], answers: [-1, 1] };

    await expect(prepare(version)).rejects.toMatchObject({
      code: 'E_MODEL_GOLDEN',
      message: expect.stringContaining('others to the same rows asked again: row 0: y is 0 and should be -1'),
    });
  });

  test('asks no golden rows of an engine that replaces another', async () => {
    const version = { model: onnxModel(plainGraph()), answers: [4, 5, 6], isFirst: false };

    await expect(prepare(version)).resolves.toBeUndefined();
  });

  test.each([
    ['its golden rows', true, 'answer its golden rows'],
    ['warming up', false, 'warm up'],
  ])('ends a loop of billions by a deadline, at %s', async (_, isFirst, what) => {
    await expect(prepare({ model: loopModel(2 ** 40), isFirst, runMs: 500 })).rejects.toMatchObject({
      code: 'E_MODEL_LOAD',
      message: `The model did not ${what} within 20 s, so its engine was killed.`,
    });
  });

  test.skipIf(process.platform !== 'linux').each([
    ['while the graph is opened', loadBombModel(), true],
    ['at its golden rows', constantBombModel(), true],
    ['by Expand', runBombModel('Expand'), true],
    ['by Tile', runBombModel('Tile'), true],
    ['while it warms up', constantBombModel(), false],
  ])('ends a bomb of memory by the limit, %s', async (_, model, isFirst) => {
    await expect(prepare({ model, isFirst })).rejects.toMatchObject({
      code: expect.stringMatching(/^E_ENGINE_(?:MEMORY|DIED)$/),
    });
  });
});
