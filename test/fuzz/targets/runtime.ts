import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Datatype, GoldenAnswers, RuntimeObservation } from '@switchback-ml/schemas';
import fc from 'fast-check';
import {
  type Command,
  encodeFrame,
  frameReader,
  unpackTensors,
} from '../../../runtime/src/engine/onnx/frame.ts';
import { ratioModel } from '../../../runtime/src/engine/onnx/graph.fixture.ts';
import { SwitchbackError } from '../../../runtime/src/error.ts';
import { parseRequest } from '../../../runtime/src/front/protocol/v2/parse.ts';
import { decodeV2 } from '../../../runtime/src/front/protocol/v2/request.ts';
import { scanRequest } from '../../../runtime/src/front/protocol/v2/scan.ts';
import { V2Request } from '../../../runtime/src/front/protocol/v2/v2-request.ts';
import type { DecodedRequest, Message } from '../../../runtime/src/inference/call.ts';
import { toTensors } from '../../../runtime/src/loading/golden.ts';
import { preflight } from '../../../runtime/src/preflight/preflight.ts';
import { ratioVersion, snapshotOf } from '../../../runtime/src/serving.fixture.ts';
import { parseSnapshot } from '../../../runtime/src/snapshot/file.ts';
import type { Target } from '../target.ts';

const { backend } = ratioVersion();
const column = (name: string, ...data: number[]) => ({
  name,
  datatype: 'FP32',
  shape: [data.length, 1],
  data,
});
const BODY = JSON.stringify({
  id: 'a',
  inputs: [column('numerator', 6, 1), column('denominator', 3, 4)],
  outputs: [{ name: 'ratio' }],
});

/** Models that take one input "x" each, of every kind of datatype. */
const takers = (['FP32', 'FP16', 'UINT8', 'INT64', 'BOOL', 'BYTES'] as const).map(datatype => ({
  ...ratioVersion().backend,
  signature: { inputs: { x: { datatype, shape: [-1, 2] } }, outputs: backend.signature.outputs },
}));

const tensor = fc.record(
  {
    name: fc.constantFrom('x', 'x', 'x', 'numerator', 'denominator', '__proto__', ''),
    datatype: fc.constantFrom(...Datatype.options, 'NONE'),
    shape: fc.oneof(
      fc.constantFrom([1, 2], [2, 2], [3, 1]),
      fc.array(fc.oneof(fc.nat({ max: 4 }), fc.integer(), fc.double()), { maxLength: 9 }),
    ),
    data: fc.oneof(
      fc.array(fc.oneof(fc.nat({ max: 1 }), fc.integer(), fc.double(), fc.boolean(), fc.string()), {
        maxLength: 4,
      }),
      fc.array(fc.array(fc.integer(), { maxLength: 2 }), { maxLength: 2 }),
      fc.jsonValue(),
    ),
    parameters: fc.oneof(
      fc.record({ binary_data_size: fc.oneof(fc.constantFrom(2, 4, 8, 16), fc.integer()) }),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: ['name', 'shape', 'datatype'] },
);

const request = fc.record(
  {
    id: fc.oneof(fc.string(), fc.jsonValue()),
    inputs: fc.array(tensor, { maxLength: 3 }),
    outputs: fc.array(
      fc.record(
        {
          name: fc.constantFrom('ratio', 'x'),
          parameters: fc.record(
            { binary_data: fc.boolean(), classification: fc.integer() },
            { requiredKeys: [] },
          ),
        },
        { requiredKeys: ['name'] },
      ),
      { maxLength: 3 },
    ),
    parameters: fc.record(
      { binary_data_output: fc.boolean(), timeout: fc.integer(), priority: fc.nat(), sequence_id: fc.nat() },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['inputs'] },
);

const WORDS = [
  '"inputs":[',
  '"data":',
  '"shape":[',
  '"datatype":"',
  ...Datatype.options,
  '"parameters":{"binary_data_size":8}',
  '"parameters":{"binary_data":true}',
  '"binary_data_output":true',
  '"classification":2',
  '"timeout":1',
  'null',
  '[[',
  '1e400',
  '-0',
  '9223372036854775808',
  '\\ud800',
  '__proto__',
];

/** The JSON of an inference request, read as far as tensors and answered. */
export const inferenceBody: Target = {
  read: body => readInference({ body, header: () => undefined }, null),
  examples: [BODY, BODY.replace('[6,1]', '[[6],[1]]')],
  words: WORDS,
  documents: request.map(json => JSON.stringify(json)),
};

/** The header that says where the JSON ends, a line break, and a body of JSON and tensors. */
export const inferenceBinary: Target = {
  read: bytes => {
    const end = bytes.indexOf(0x0a);
    const header = bytes.toString('latin1', 0, Math.max(0, end));
    readInference({ body: bytes.subarray(end + 1), header: () => header }, header);
  },
  examples: [
    binaryRequest({ inputs: [binaryInput('x', 'FP32', 8)] }, Buffer.alloc(8)),
    binaryRequest({ inputs: [binaryInput('x', 'BYTES', 10)] }, Buffer.from('01000000610100000062', 'hex')),
    binaryRequest(
      { inputs: [binaryInput('x', 'INT64', 16)], parameters: { binary_data_output: true } },
      Buffer.alloc(16),
    ),
    Buffer.from('0\n\0\0\0\0\0\0\0\0'),
  ],
  words: [...WORDS, '-1', '0\n', '99999999999999999999'],
  documents: fc
    .tuple(request, fc.uint8Array({ maxLength: 64 }), fc.constantFrom(0, 0, 0, -1, 1))
    .map(([json, tail, off]) => binaryRequest(json, tail, off)),
};

function binaryInput(name: string, datatype: Datatype, bytes: number): object {
  return { name, datatype, shape: [1, 2], parameters: { binary_data_size: bytes } };
}

function binaryRequest(json: object, tail: Uint8Array, off = 0): Buffer {
  const head = Buffer.from(JSON.stringify(json));
  return Buffer.concat([Buffer.from(`${head.length + off}\n`), head, tail]);
}

/** For each model; the quick way to read a request has to agree with the one that reads any. */
function readInference(message: Message, header: string | null): void {
  const decoded = decodeV2(message);
  const { body } = message;
  const said = header === '0' ? null : scanRequest(body, header === null ? body.length : Number(header));
  const parsed =
    said === null ? null : new V2Request(parseRequest(body, header === null ? null : Number(header)));
  for (const model of [backend, ...takers]) {
    const outcome = outcomeOf(decoded, model);
    if (parsed !== null && !isDeepStrictEqual(outcome, outcomeOf(parsed, model)))
      throw new Error('a request is read in two ways');
  }
}

const ANSWER = { datatype: 'FP32' as const, shape: [1, 1], data: Float32Array.of(0.5) };

/** What is read of it and what it is answered, or why it is refused. */
function outcomeOf(request: DecodedRequest, model: typeof backend): unknown {
  try {
    const { inputs, rows } = request.read(model);
    for (const { data, shape } of inputs.values())
      if (data.length !== shape.reduce((product, size) => product * size, 1) || rows < 1)
        throw new Error('a ragged tensor');
    const outputs = new Map([['ratio', ANSWER]]);
    const { timeoutMs, priority } = request;
    return {
      inputs,
      rows,
      timeoutMs,
      priority,
      reply: request.print({ model: 'm', backend: model, outputs, nonFinite: [] }),
    };
  } catch (error) {
    if (error instanceof SwitchbackError && error.code === 'E_INPUT') return error.message;
    throw error;
  }
}

/** What an engine sends, which a broken one may. */
export const engineFrame: Target = {
  read: bytes => {
    const read = frameReader<Command>();
    const half = bytes.length >> 1;
    for (const chunk of [bytes.subarray(0, half), bytes.subarray(half)])
      for (const { head, body } of read(chunk)) if (head?.kind === 'infer') unpackTensors(head.tensors, body);
  },
  examples: [
    Buffer.concat(encodeFrame({ kind: 'load', path: '/a' })),
    Buffer.concat(
      encodeFrame({ kind: 'infer', tensors: [{ name: 'a', datatype: 'FP32', shape: [2, 1], bytes: 8 }] }, [
        new Uint8Array(8),
      ]),
    ),
  ],
  words: ['"kind":"infer"', '"tensors":[', '"bytes":', '"shape":[', 'BYTES', 'FP32', '\0\0\0\0'],
  // The reader of the channel kills an engine that sends what is no answer.
  caught: ['RangeError', 'SyntaxError', 'TypeError', 'ZodError'],
};

/** What processes tell each other as JSON, and keep. */
export const wireJson: Target = {
  read: bytes => {
    const text = bytes.toString('utf8');
    parseSnapshot(text);
    const json: unknown = JSON.parse(text);
    RuntimeObservation.safeParse(json);
    const golden = GoldenAnswers.safeParse(json);
    if (golden.success) toTensors(golden.data.inputs);
  },
  examples: [
    JSON.stringify(snapshotOf({ ratio: [backend] })),
    JSON.stringify({
      inputs: { a: { datatype: 'FP32', shape: [2, 1], data: [1, 2] } },
      outputs: { b: { datatype: 'INT64', shape: [1], data: [3] } },
    }),
  ],
  words: [
    '"routes":{',
    '"backends":[',
    '"weight":',
    '"artifacts":{',
    '"sha256":"',
    '"signature":{',
    '"shape":[',
    '"datatype":"',
    '"data":[',
  ],
  caught: ['SyntaxError'],
};

const folder = mkdtempSync(join(tmpdir(), 'switchback-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A file that says it is a model, looked at before anything opens it. */
export const modelFile: Target = {
  read: bytes => {
    const file = join(folder, 'model.onnx');
    rmSync(file, { force: true });
    writeFileSync(file, bytes);
    preflight(file);
  },
  examples: [ratioModel()],
  words: [
    'ai.onnx',
    'ai.onnx.ml',
    'com.microsoft',
    'Loop',
    'If',
    'Add',
    '\x08\x08',
    '\x12\x00',
    '\x3a',
    '\xff\xff\xff\xff\x0f',
    'location',
    '../x',
  ],
};
