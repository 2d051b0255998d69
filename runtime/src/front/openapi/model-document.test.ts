import { type Backend, type Signature, VersionLabel } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backendOf } from '../protocol/tf-serving/protocol.fixture.ts';
import { printDocument } from './document.ts';
import { modelDocument } from './model-document.ts';
import {
  DATATYPES,
  type DocumentedRequest,
  documentFault,
  goldenOf,
  judgeOf,
  requestsOf,
  signatures,
} from './openapi.fixture.ts';
import type { Part } from './operation.ts';
import { rowOf } from './row.ts';

const VERSION = VersionLabel.parse('1.2.0+build.7');

function documentOf(backend: Backend, options: { golden?: boolean; version?: VersionLabel } = {}): Part {
  const golden = options.golden === false ? null : goldenOf(backend.signature);
  const row = rowOf(backend, golden);
  return modelDocument({ model: 'fraud', version: options.version ?? null, backend, row });
}

function backendWith({ inputs, outputs }: Signature): Backend {
  return backendOf(inputs, outputs);
}

/** Everything in it that can be wrong without a runtime. */
async function expectSound(document: Part): Promise<DocumentedRequest[]> {
  expect(await documentFault(document)).toBeNull();
  const judge = judgeOf(document);
  const requests = requestsOf(document);
  for (const request of requests) {
    expect(judge.request(request), request.body).toBeNull();
    if (request.answer !== undefined)
      expect(judge.answer(request, request.answer), JSON.stringify(request.answer)).toBeNull();
  }
  return requests;
}

describe('the document of a model', () => {
  test.each(DATATYPES)('is OpenAPI 3.1 for %s, with an example of each form that holds', async datatype => {
    const column = { datatype, shape: [-1, 1] };
    const document = documentOf(backendOf({ x: column, z: column }, { y: column }));

    const requests = await expectSound(document);

    expect(requests.map(({ path, contentType }) => `${path} ${contentType}`)).toEqual([
      '/v2/models/fraud/infer application/json',
      ...Array(2).fill('/v1/models/fraud:predict application/json'),
      ...Array(4).fill('/models/fraud/invocations application/json'),
      '/models/fraud/invocations text/csv',
    ]);
    expect(requests.filter(({ answer }) => answer === undefined)).toEqual([requests.at(-1)]);
  });

  test('is OpenAPI 3.1, whatever the signature, and its examples are what it says they are', async () => {
    await fc.assert(
      fc.asyncProperty(signatures(), fc.boolean(), fc.boolean(), async (signature, golden, isNamed) => {
        const document = documentOf(backendWith(signature), { golden, ...(isNamed && { version: VERSION }) });

        const requests = await expectSound(document);

        const printed = printDocument(document);
        expect(printed).not.toMatch(/[<>&]/);
        expect(JSON.parse(printed)).toEqual(JSON.parse(JSON.stringify(document)));
        if (Object.keys(signature.inputs).length > 0) expect(requests.length).toBeGreaterThan(0);
      }),
      { numRuns: 25 },
    );
  });

  test('refuses what the model refuses: another name, datatype, rank or element', () => {
    const document = documentOf(backendOf({ x: { datatype: 'INT8', shape: [-1, 2] } }));
    const judge = judgeOf(document);
    const [infer] = requestsOf(document);
    const input = { name: 'x', datatype: 'INT8', shape: [1, 2], data: [1, 2] };

    const faults = [
      { ...input, name: 'y' },
      { ...input, datatype: 'INT16' },
      { ...input, shape: [1] },
      { ...input, shape: [1, 3] },
      { ...input, data: [1, 128] },
      { ...input, data: [1, 0.5] },
    ].map(one => judge.request({ ...infer!, value: { inputs: [one] } }));

    expect(judge.request({ ...infer!, value: { inputs: [input] } })).toBeNull();
    for (const fault of faults) expect(fault).not.toBeNull();
  });

  test('shows the golden row and its answer, in as few digits as they have', () => {
    const backend = backendOf({ x: { datatype: 'FP32', shape: [-1, 2] } });
    const golden = {
      inputs: new Map([['x', { datatype: 'FP32' as const, shape: [1, 2], data: Float32Array.of(0.1, 6) }]]),
      outputs: new Map([['y', { datatype: 'FP32' as const, shape: [1, 1], data: Float32Array.of(0.3) }]]),
    };
    const document = modelDocument({ model: 'fraud', version: null, backend, row: rowOf(backend, golden) });

    const [infer, ...others] = requestsOf(document);

    expect(infer).toMatchObject({
      value: { inputs: [{ name: 'x', shape: [1, 2], data: [0.1, 6] }] },
      answer: { outputs: [{ name: 'y', shape: [1, 1], data: [0.3] }] },
    });
    expect(others.map(({ value }) => value)).toEqual([
      { instances: [{ x: [0.1, 6] }] },
      { inputs: { x: [[0.1, 6]] } },
      { dataframe_split: { columns: ['0', '1'], data: [[0.1, 6]] } },
      { dataframe_records: [{ 0: 0.1, 1: 6 }] },
      { instances: [{ x: [0.1, 6] }] },
      { inputs: { x: [[0.1, 6]] } },
      '0,1\n0.1,6\n',
    ]);
  });

  test('makes a row up where the golden one is vast or can not be told exactly', () => {
    const backend = backendOf({ x: { datatype: 'INT64', shape: [-1, -1] } });
    const vast = new BigInt64Array(10_000);
    const inexact = BigInt64Array.of(2n ** 60n + 1n);

    const rows = [vast, inexact].map(data => {
      const inputs = new Map([['x', { datatype: 'INT64' as const, shape: [1, data.length], data }]]);
      return rowOf(backend, { inputs, outputs: new Map() });
    });

    for (const row of rows)
      expect(row).toMatchObject({ golden: null, inputs: [{ shape: [1, 1], data: [1] }] });
  });

  test('has no example where even one row is long, and says the signature all the same', async () => {
    const backend = backendOf({ x: { datatype: 'FP32', shape: [-1, 3, 224, 224] } });
    const document = documentOf(backend);

    expect(await expectSound(document)).toEqual([]);
    expect(JSON.stringify(document)).toContain('"const":224');
  });

  test('names the version in every address where it is about one', () => {
    const paths = Object.keys(
      documentOf(backendOf({ x: { datatype: 'FP32', shape: [-1] } }), { version: VERSION })[
        'paths'
      ] as object,
    );

    for (const path of paths) expect(path).toContain(`/models/fraud/versions/${VERSION}`);
    expect(paths).toHaveLength(9);
  });
});
