import { ANSWERED_BY, type Loaded } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { findConfinement } from '../engine/onnx/confinement.ts';
import {
  externalInitializer,
  type Graph,
  initializer,
  intAttribute,
  type Node,
  onnxModel,
} from '../engine/onnx/graph.fixture.ts';
import { onnxEngines } from '../engine/onnx/index.ts';
import { startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, ratioBody, ratioVersion, snapshotOf } from '../serving.fixture.ts';
import { column, int64s } from './hostile-model.fixture.ts';

/** `ratio = numerator / denominator`, as the good version, with something besides. */
function ratioWith(extra: Partial<Graph>): Uint8Array {
  const { nodes = [], ...rest } = extra;
  return onnxModel({
    inputs: [column('numerator'), column('denominator')],
    outputs: [column('ratio')],
    nodes: [{ op: 'Div', inputs: ['numerator', 'denominator'], outputs: ['ratio'] }, ...nodes],
    ...rest,
  });
}

const good = ratioWith({});
const foreign: Node = { op: 'QuickGelu', domain: 'com.microsoft', inputs: ['ratio'], outputs: ['unused'] };
const bomb: Partial<Graph> = {
  outputs: [column('ratio'), { name: 'sum', datatype: 'FP32', shape: [] }],
  nodes: [
    { op: 'ConstantOfShape', inputs: ['size'], outputs: ['zeros'] },
    { op: 'ReduceSum', inputs: ['zeros'], outputs: ['sum'], attributes: [intAttribute('keepdims', 0)] },
  ],
  initializers: [int64s('size', 2 ** 29)],
};
const spec = { datatype: 'FP32' as const, shape: [-1, 1] };
const withSum = {
  inputs: { numerator: spec, denominator: spec },
  outputs: { ratio: spec, sum: { datatype: 'FP32' as const, shape: [] } },
};
const elsewhere = externalInitializer('w', [2], { location: '../../golden.json' });
const lying = initializer('w', 'FP32', [2 ** 20], new Uint8Array(8));
const refused = (what: string) => ({ code: 'E_MODEL_LOAD', message: expect.stringContaining(what) });

describe('a bad file in a snapshot', () => {
  const cases: [string, Parameters<typeof ratioVersion>[0], object][] = [
    ['that is cut short', { model: good.subarray(0, 100) }, refused('it is cut short or damaged')],
    ['that is a pickle', { model: Buffer.from('8004950a', 'hex') }, refused('it is a pickle')],
    ['with an operator that is not ONNX', { model: ratioWith({ nodes: [foreign] }) }, refused('QuickGelu')],
    ['with weights elsewhere', { model: ratioWith({ initializers: [elsewhere] }) }, refused('another file')],
    ['with a weight that lies', { model: ratioWith({ initializers: [lying] }) }, refused('and holds 8')],
    [
      'that asks for two gigabytes at its golden rows',
      { model: ratioWith(bomb), signature: withSum, limits: { memoryBytes: 256 * 2 ** 20 } },
      { code: expect.stringMatching(/^E_ENGINE_(?:MEMORY|DIED)$/) },
    ],
  ];
  test.each(cases)('%s never serves: last good does, and the other models go on', async (_, bad, failure) => {
    const startEngine = onnxEngines(await findConfinement());
    const runtime = await startRuntimeFixture({ startEngine });
    await runtime.serve({ label: 'good', model: good });
    const [broken, other] = [
      ratioVersion({ label: 'bad', ...bad }),
      ratioVersion({ label: 'other', model: good }),
    ];
    for (const [name, bytes] of [...broken.objects, ...other.objects])
      runtime.controller.objects.set(name, bytes);

    runtime.controller.publish(snapshotOf({ ratio: [broken.backend], other: [other.backend] }));
    const failed = await eventually(async () => {
      const { loaded } = await runtime.observe();
      const isOtherReady = loaded.some(one => one.model === 'other' && one.state === 'ready');
      return isOtherReady && loaded.find(isFailed);
    }, 'the failure, and the other model being ready');

    expect(failed.failure).toMatchObject(failure);
    expect(failed.failure?.message).not.toMatch(/\/[\w.-]+\//);
    expect(await answeredBy(runtime.infer(ratioBody([6], [3])))).toBe('good');
    expect(await answeredBy(runtime.infer(ratioBody([6], [3]), '/v2/models/other/infer'))).toBe('other');
  });
});

function isFailed({ version, state }: Loaded): boolean {
  return version === 'bad' && state === 'failed';
}

async function answeredBy(asked: Promise<Response>): Promise<string | null> {
  const response = await asked;
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ outputs: [{ name: 'ratio', data: [2] }] });
  return response.headers.get(ANSWERED_BY.version);
}
