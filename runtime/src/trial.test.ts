import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onnxModel, ratioModel } from './engine/onnx/graph.fixture.ts';
import {
  column,
  contribModel,
  loopModel,
  neighbourlyModel,
  plainGraph,
  randomModel,
  runBombModel,
} from './preflight/hostile-model.fixture.ts';

const TRIAL = fileURLToPath(new URL('./trial.ts', import.meta.url));
const EXAMPLE = fileURLToPath(
  new URL('../../examples/model-repo/models/screening/versions/1.0.0/', import.meta.url),
);
const LITTLE_MEMORY = ['--memory', String(512 * 2 ** 20)];
const SPEC = { datatype: 'FP32', shape: [-1, 1] };
const SIGNATURE = { inputs: { x: SPEC }, outputs: { y: SPEC } };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-trial-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function file(content: Uint8Array | object | string): Promise<string> {
  const path = join(folder, `${files++}`);
  const isPlain = content instanceof Uint8Array || typeof content === 'string';
  await writeFile(path, isPlain ? content : JSON.stringify(content));
  return path;
}

const tensor = (...data: number[]) => ({ datatype: 'FP32', shape: [data.length, 1], data });

interface Answer {
  code: number;
  line: Record<string, unknown>;
}

function trial(...args: string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [TRIAL, ...args], (error, stdout) => {
      const lines = stdout.trimEnd().split('\n');
      if (lines.length !== 1) return reject(new Error(`not one line: ${stdout}`));
      resolve({ code: Number(error?.code ?? 0), line: JSON.parse(lines[0]!) });
    });
  });
}

/** Tries a version of `y = f(x)` whole, on golden answers to the rows 1, 2, 3. */
async function tryVersion(model: Uint8Array, answers: number[], ...args: string[]): Promise<Answer> {
  const golden = await file({ inputs: { x: tensor(1, 2, 3) }, outputs: { y: tensor(...answers) } });
  const signature = await file(SIGNATURE);
  return trial('--model', await file(model), '--signature', signature, '--golden', golden, ...args);
}

async function tryRows(model: Uint8Array, inputs: object, ...args: string[]): Promise<Answer> {
  return trial('--model', await file(model), '--rows', await file({ inputs }), ...args);
}

const refused = (code: string, message: unknown = expect.any(String)) => ({
  code: 1,
  line: { error: { code, message } },
});

describe('a trial', () => {
  test('tells the signature of a graph, and what it is made of', async () => {
    const { code, line } = await trial('--model', join(EXAMPLE, 'model.onnx'));

    expect(code).toBe(0);
    expect(line).toEqual({
      signature: {
        inputs: { features: { datatype: 'FP32', shape: [-1, 30] } },
        outputs: { score: { datatype: 'FP32', shape: [-1, 1] } },
      },
      graph: {
        irVersion: 8,
        operatorSets: { 'ai.onnx': 17, 'ai.onnx.ml': 3 },
        operators: { 'ai.onnx.ml.TreeEnsembleClassifier': 1, Constant: 1, Gather: 1, Sigmoid: 1 },
        inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 30] }],
        outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
        nodes: 4,
        weightsBytes: expect.any(Number),
      },
    });
  });

  test('answers rows as golden.json has them, however many batches they are', async () => {
    const golden = JSON.parse(await readFile(join(EXAMPLE, 'golden.json'), 'utf8'));
    const { datatype, shape, data } = golden.inputs.features;
    const twice = { datatype, shape: [shape[0] * 2, shape[1]], data: [...data, ...data] };
    const rows = await file({ inputs: { features: twice } });

    const { line } = await trial('--model', join(EXAMPLE, 'model.onnx'), '--rows', rows);

    const want = [...golden.outputs.score.data, ...golden.outputs.score.data];
    expect(want.length).toBeGreaterThan(64);
    const { score } = line['outputs'] as Record<string, { data: number[] }>;
    expect(score).toMatchObject({ datatype: 'FP32', shape: [want.length, 1] });
    for (const [index, value] of score!.data.entries()) expect(value).toBeCloseTo(want[index], 4);
  });

  test('answers rows one by one for a graph that takes one', async () => {
    const one = { inputs: [column('x', [1, 1])], outputs: [column('y', [1, 1])] };

    const { line } = await tryRows(onnxModel(plainGraph(one)), { x: tensor(1, 2, 3) });

    expect(line['outputs']).toEqual({ y: tensor(1, 2, 3) });
  });

  test.each([
    ['chance', randomModel(), expect.any(String)],
    ['the rows beside them', neighbourlyModel(), expect.stringContaining('asked again: row 0: y is 0')],
  ])('refuses answers to rows that hang on %s', async (_, model, message) => {
    expect(await tryRows(model, { x: tensor(1, 2, 3) })).toEqual(refused('E_MODEL_GOLDEN', message));
  });

  test('prints a NaN as null', async () => {
    const inputs = { numerator: tensor(0, 1), denominator: tensor(0, 2) };

    const { line } = await tryRows(ratioModel(), inputs);

    expect(line['outputs']).toEqual({ ratio: { datatype: 'FP32', shape: [2, 1], data: [null, 0.5] } });
  });

  test.each([
    ['no file', ['--model', 'absent'], 'E_MODEL_LOAD'],
    ['rows that are no rows', ['--model', 'ratio', '--rows', 'broken'], 'E_INPUT'],
    ['golden answers to nothing that was declared', ['--model', 'ratio', '--golden', 'broken'], 'E_USAGE'],
    ['a wrong option', ['--modle', 'ratio'], 'E_USAGE'],
  ])('of %s says what is wrong and fails', async (_, args, expected) => {
    await writeFile(join(folder, 'ratio'), ratioModel());
    await writeFile(join(folder, 'broken'), 'nonsense');

    const answer = await trial(...args.map(arg => (arg.startsWith('--') ? arg : join(folder, arg))));

    expect(answer).toEqual(refused(expected, expect.not.stringContaining(folder)));
  });
});

describe('a version that is tried whole', () => {
  test('passes when it is what was declared and answers as it should', async () => {
    const { code, line } = await tryVersion(onnxModel(plainGraph()), [1, 2, 3]);

    expect(code).toBe(0);
    expect(line['signature']).toEqual(SIGNATURE);
  });

  test('is refused for an input that was not declared', async () => {
    const model = onnxModel(plainGraph({ inputs: [column('x'), column('more')] }));

    expect(await tryVersion(model, [1, 2, 3])).toEqual(
      refused('E_MODEL_SIGNATURE', expect.stringContaining('an undeclared input "more"')),
    );
  });

  test('is refused for answers beyond the tolerance, and not for those within', async () => {
    const model = onnxModel(plainGraph());

    expect(await tryVersion(model, [1, 2, 3.5])).toEqual(
      refused('E_MODEL_GOLDEN', expect.stringContaining('row 2: y is 3 and should be 3.5')),
    );
    expect((await tryVersion(model, [1, 2, 3.5], '--tolerance', '0.2')).code).toBe(0);
  });
});

describe('limits of a trial', () => {
  test('end a loop of billions', async () => {
    const answer = await tryRows(loopModel(2 ** 40), { x: tensor(1) }, '--timeout', '1500');

    expect(answer).toEqual(refused('E_ENGINE_TIMEOUT', expect.stringContaining('1500 ms')));
  });

  test.skipIf(process.platform !== 'linux')('end a bomb of memory', async () => {
    const { code, line } = await tryRows(runBombModel('Expand'), { x: tensor(1) }, ...LITTLE_MEMORY);

    expect(code).toBe(1);
    expect(line['error']).toMatchObject({ code: expect.stringMatching(/^E_ENGINE_(?:MEMORY|DIED)$/) });
  });
});

describe('an operator', () => {
  test('of another domain is refused before ONNX Runtime sees it', async () => {
    expect(await trial('--model', await file(contribModel(false)))).toEqual(
      refused('E_MODEL_LOAD', expect.stringContaining('"QuickGelu" of "com.microsoft"')),
    );
  });

  test('that nobody knows is refused when the graph is opened, without a path of this machine', async () => {
    const real = join(folder, 'real');
    const linked = join(folder, 'linked');
    await mkdir(real);
    await symlink(real, linked);
    const unknown = { nodes: [{ op: 'Nonesuch', name: '/block/Nonesuch', inputs: ['x'], outputs: ['y'] }] };
    await writeFile(join(real, 'model.onnx'), onnxModel(plainGraph(unknown)));

    const answer = await trial('--model', join(linked, 'model.onnx'));

    expect(answer).toEqual(refused('E_MODEL_LOAD', expect.stringContaining('Nonesuch')));
    const { message } = answer.line['error'] as { message: string };
    const named = message.match(/(?:\/[\w.@-]+){2,}/g)?.filter(name => name !== '/block/Nonesuch') ?? [];
    for (const name of named) await expect(access(name), name).rejects.toThrow();
    expect(message).not.toMatch(/real|linked|onnxruntime_src|\.cc\b|\.h\b/);
  });
});
