import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoldenAnswers, RuntimeObservation } from '@switchback-ml/schemas';
import {
  type Command,
  encodeFrame,
  frameReader,
  unpackTensors,
} from '../../../runtime/src/engine/onnx/frame.ts';
import { ratioModel } from '../../../runtime/src/engine/onnx/graph.fixture.ts';
import { parseRequest, readTensors } from '../../../runtime/src/front/protocol/v2-request.ts';
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

/** The body of an inference request, read as far as the tensors of a model. */
export const inferenceBody: Target = {
  read: bytes => {
    const { inputs, rows } = readTensors(parseRequest(bytes), backend);
    for (const { data, shape } of inputs.values())
      if (data.length !== shape.reduce((product, size) => product * size, 1) || rows < 1)
        throw new Error('a ragged tensor');
  },
  examples: [BODY, BODY.replace('[6,1]', '[[6],[1]]')],
  words: [
    '"inputs":[',
    '"data":',
    '"shape":[',
    '"datatype":"',
    'BYTES',
    'FP16',
    'INT64',
    'BOOL',
    '"parameters":{"binary_data_size":8}',
    'null',
    '[[',
    '1e400',
    '-0',
    '__proto__',
  ],
};

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
