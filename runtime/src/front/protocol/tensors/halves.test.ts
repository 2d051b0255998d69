import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactDigest, type Backend, type Datatype } from '@switchback-ml/schemas';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Engine } from '../../../engine/engine.ts';
import { findConfinement } from '../../../engine/onnx/confinement.ts';
import { halfRatioModel } from '../../../engine/onnx/graph.fixture.ts';
import { onnxEngines } from '../../../engine/onnx/index.ts';
import { type RuntimeFixture, startRuntimeFixture } from '../../../runtime.fixture.ts';
import { eventually, KEY, ratioVersion, sha256, snapshotOf } from '../../../serving.fixture.ts';
import { scriptedInference, startGrpcFixture } from '../../grpc/grpc.fixture.ts';

const spec = (datatype: Datatype) => ({ datatype, shape: [-1, 1] });
const SIGNATURE: Backend['signature'] = {
  inputs: { numerator: spec('FP16'), denominator: spec('FP16') },
  outputs: { ratio: spec('FP16'), wide: spec('FP32') },
};

/** A version of `ratio = numerator / denominator` in halves, with golden answers as NumPy gives them. */
function halfVersion(): { backend: Backend; objects: Map<string, Uint8Array> } {
  const { backend, objects } = ratioVersion({ model: halfRatioModel(), signature: SIGNATURE });
  const tensor = (datatype: Datatype, ...data: number[]) => ({ datatype, shape: [data.length, 1], data });
  const golden = Buffer.from(
    JSON.stringify({
      inputs: { numerator: tensor('FP16', 6, 1), denominator: tensor('FP16', 3, 3) },
      outputs: { ratio: tensor('FP16', 2, 0.333251953125), wide: tensor('FP32', 2, 0.333251953125) },
    }),
  );
  objects.set(sha256(golden), golden);
  const artifact = { sha256: ArtifactDigest.parse(sha256(golden)), size: golden.byteLength };
  return { backend: { ...backend, artifacts: { ...backend.artifacts, 'golden.json': artifact } }, objects };
}

/** A runtime with a real engine, which serves that version. */
async function startHalves(): Promise<RuntimeFixture> {
  const runtime = await startRuntimeFixture({ startEngine: onnxEngines(await findConfinement()) });
  const { backend, objects } = halfVersion();
  for (const [name, bytes] of objects) runtime.controller.objects.set(name, bytes);
  runtime.controller.publish(snapshotOf({ ratio: [backend] }));
  await eventually(
    async () => (await runtime.observe()).loaded.some(({ state }) => state === 'ready'),
    'the version of halves being ready',
  );
  return runtime;
}

const input = (name: string, ...data: unknown[]) => ({
  name,
  datatype: 'FP16',
  shape: [data.length, 1],
  data,
});
const halves = (...values: number[]): Buffer => Buffer.from(Float16Array.from(values).buffer);
const INPUTS = [input('numerator', 6, 1), input('denominator', 4, 3)];

describe('a model of halves', () => {
  test('is asked and answered by every protocol over HTTP', async () => {
    const runtime = await startHalves();
    const json = async (path: string, body: object): Promise<unknown> => {
      const response = await runtime.infer(JSON.stringify(body), path, {
        'content-type': 'application/json',
      });
      return { status: response.status, body: await response.json() };
    };
    const columns = { numerator: [6, 1], denominator: [4, 3] };

    const v2 = await runtime.infer(JSON.stringify({ inputs: INPUTS }));
    const classes = { name: 'ratio', parameters: { classification: 1 } };

    expect(await v2.text()).toContain(
      '{"name":"ratio","shape":[2,1],"datatype":"FP16","data":[1.5,0.3333]},' +
        '{"name":"wide","shape":[2,1],"datatype":"FP32","data":[1.5,0.33325195]}',
    );
    expect(await json('/v2/models/ratio/infer', { inputs: INPUTS, outputs: [classes] })).toMatchObject({
      status: 200,
      body: { outputs: [{ name: 'ratio', datatype: 'BYTES', data: ['1.5:0', '0.3333:0'] }] },
    });
    expect(await json('/v1/models/ratio:predict', { inputs: columns })).toEqual({
      status: 200,
      body: { outputs: { ratio: [[1.5], [0.3333]], wide: [[1.5], [0.33325195]] } },
    });
    expect(await json('/v1/models/ratio:predict', { instances: [{ numerator: 6, denominator: 4 }] })).toEqual(
      { status: 200, body: { predictions: [{ ratio: [1.5], wide: [1.5] }] } },
    );
    expect(
      await json('/models/ratio/invocations', {
        dataframe_split: { columns: ['denominator', 'numerator'], data: [[3, 1]] },
      }),
    ).toEqual({ status: 200, body: { predictions: { ratio: [[0.3333]], wide: [[0.33325195]] } } });
    expect(await (await runtime.get('/v1/models/ratio/metadata')).text()).toContain('"dtype":"DT_HALF"');
  });

  test('is asked and answered in binary to the last bit', async () => {
    const runtime = await startHalves();
    const binary = ({ name, datatype, shape }: ReturnType<typeof input>) => ({
      name,
      datatype,
      shape,
      parameters: { binary_data_size: 4 },
    });
    const parameters = { binary_data_output: true };
    const head = JSON.stringify({ inputs: INPUTS.map(binary), outputs: [{ name: 'ratio' }], parameters });

    const response = await fetch(`${runtime.address}/v2/models/ratio/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'inference-header-content-length': String(head.length) },
      body: Buffer.concat([Buffer.from(head), halves(6, 1), halves(4, 3)]),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const length = Number(response.headers.get('inference-header-content-length'));

    expect(response.status).toBe(200);
    expect(JSON.parse(body.toString('utf8', 0, length))).toMatchObject({
      outputs: [{ name: 'ratio', datatype: 'FP16', shape: [2, 1], parameters: { binary_data_size: 4 } }],
    });
    expect(body.subarray(length)).toEqual(halves(1.5, 1 / 3));
  });

  test('is refused what is no half, with its index, in the form of each protocol', async () => {
    const runtime = await startHalves();
    const refused = async (path: string, body: string): Promise<unknown> => {
      const response = await runtime.infer(body, path, { 'content-type': 'application/json' });
      return { status: response.status, text: await response.text() };
    };
    const bodyOf = (literal: string): string =>
      JSON.stringify({ inputs: [input('numerator', 1, 0), INPUTS[1]] }).replace('[1,0]', `[1,${literal}]`);

    for (const literal of ['65520', '-1e5', '1e400', 'null', '"1"', 'true'])
      expect(await refused('/v2/models/ratio/infer', bodyOf(literal))).toMatchObject({
        status: 400,
        text: expect.stringMatching(/element 1 must be a (?:finite )?FP16 number/),
      });
    expect(
      await refused('/v1/models/ratio:predict', '{"inputs":{"numerator":[1,1e5],"denominator":[1,1]}}'),
    ).toMatchObject({ status: 400, text: expect.stringContaining('element 1 must be a finite FP16 number') });
    expect(
      await refused('/v2/models/ratio/infer', JSON.stringify({ inputs: INPUTS }).replaceAll('FP16', 'BF16')),
    ).toMatchObject({ status: 400, text: expect.stringContaining('must be FP16; got BF16') });
  });

  test('answers null for what is no number, says so, and counts it against its version', async () => {
    const runtime = await startHalves();
    const inputs = [input('numerator', 0, 6e4, 1), input('denominator', 0, 0.5, 4)];

    const v2 = await runtime.infer(JSON.stringify({ inputs, outputs: [{ name: 'ratio' }] }));
    const tf = await runtime.infer(
      JSON.stringify({ inputs: { numerator: [0], denominator: [0] } }),
      '/v1/models/ratio:predict',
    );
    const { counts } = await runtime.observe();

    expect(await v2.json()).toMatchObject({
      outputs: [{ name: 'ratio', parameters: { non_finite: true }, data: [null, null, 0.25] }],
    });
    expect(tf.headers.get('x-switchback-non-finite')).toBe('ratio, wide');
    expect(counts).toMatchObject([{ attempts: 2, failures: 0, nonFinite: 2 }]);
  });

  test('gives every request its own rows where many share a batch', async () => {
    const runtime = await startHalves();

    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const inputs = [input('numerator', index, 2 * index), input('denominator', 8, 8)];
        const response = await runtime.infer(JSON.stringify({ inputs, outputs: [{ name: 'ratio' }] }));
        return ((await response.json()) as { outputs: { data: number[] }[] }).outputs[0]!.data;
      }),
    );

    expect(answers).toEqual(answers.map((_, index) => [index / 8, index / 4]));
  });

  test('is asked raw over gRPC, and by contents refused', async () => {
    const engine = await loadHalves();
    const { backend } = halfVersion();
    const grpc = await startGrpcFixture(
      scriptedInference({ ratio: { backends: [backend], run: inputs => engine.infer(inputs, 20_000) } }),
    );
    const inputs = INPUTS.map(({ name, datatype, shape }) => ({ name, datatype, shape }));

    const { response } = await grpc.call('ModelInfer', {
      model_name: 'ratio',
      inputs,
      raw_input_contents: [halves(6, 1), halves(4, 3)],
    });
    const typed = await grpc.refused('ModelInfer', {
      model_name: 'ratio',
      inputs: inputs.map(one => ({ ...one, contents: { fp32_contents: [1, 2] } })),
    });

    expect(response['outputs']).toMatchObject([
      { name: 'ratio', datatype: 'FP16' },
      { name: 'wide', datatype: 'FP32' },
    ]);
    expect((response['raw_output_contents'] as Buffer[])[0]).toEqual(halves(1.5, 1 / 3));
    expect(typed.details).toContain('"numerator" can only be FP16 in raw_input_contents');
  });
});

/** An engine with that model, which goes with the test. */
async function loadHalves(): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-halves-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'model.onnx');
  await writeFile(path, halfRatioModel());
  const engine = await onnxEngines(await findConfinement())(AbortSignal.timeout(20_000));
  onTestFinished(() => engine[Symbol.asyncDispose]());
  await engine.load({ path, memoryBytes: 256 * 2 ** 20, timeoutMs: 20_000 });
  return engine;
}
