import { hash } from 'node:crypto';
import { Artifact, Backend, ServingSnapshot, Signature, versionText } from '@switchback-ml/schemas';
import { onnxBytes } from '../serving/model/onnx.ts';
import { ENVIRONMENT } from '../serving/subject/snapshot.ts';

const INPUTS = 8;

export interface ManyModels {
  snapshot: ServingSnapshot;
  /** By SHA-256. */
  files: ReadonlyMap<string, Uint8Array>;
  /** Of one request to any of them: a JSON body. */
  body: string;
  /** What the model of this number answers to it. */
  answerOf: (index: number) => number;
}

export const nameOf = (index: number): string => `model-${index}`;

/** So many models of one layer, each with weights of its own: model n answers n + 1 times the sum of its inputs. */
export function makeMany(count: number, key: string): ManyModels {
  const files = new Map<string, Uint8Array>();
  const routes: Record<string, { backends: Backend[] }> = {};
  const row = Array.from({ length: INPUTS }, (_, index) => index / 8);
  const sum = row.reduce((total, value) => total + value, 0);
  for (let index = 0; index < count; index++)
    routes[nameOf(index)] = { backends: [makeBackend(index, row, (index + 1) * sum, files)] };
  const rest = {
    apiVersion: 'switchback/v1alpha1',
    kind: 'ServingSnapshot',
    environment: ENVIRONMENT,
    commit: 'c'.repeat(40),
    routes,
    keys: [sha256(Buffer.from(key))],
  };
  const generation = sha256(Buffer.from(JSON.stringify(rest))).slice(0, 16);
  const input = { name: 'input', datatype: 'FP32', shape: [1, INPUTS], data: row };
  return {
    snapshot: ServingSnapshot.parse({ ...rest, generation }),
    files,
    body: JSON.stringify({ inputs: [input] }),
    answerOf: index => (index + 1) * sum,
  };
}

function makeBackend(
  index: number,
  row: readonly number[],
  answer: number,
  files: Map<string, Uint8Array>,
): Backend {
  const tensor = (data: readonly number[]) => ({ datatype: 'FP32', shape: [1, data.length], data });
  const golden = { inputs: { input: tensor(row) }, outputs: { output: tensor([answer]) } };
  const made = { 'model.onnx': graphOf(index + 1), 'golden.json': Buffer.from(JSON.stringify(golden)) };
  const artifacts: Record<string, Artifact> = {};
  for (const [name, bytes] of Object.entries(made)) {
    files.set(sha256(bytes), bytes);
    artifacts[name] = Artifact.parse({ sha256: sha256(bytes), size: bytes.length });
  }
  const signature = Signature.parse({
    inputs: { input: { datatype: 'FP32', shape: [-1, INPUTS] } },
    outputs: { output: { datatype: 'FP32', shape: [-1, 1] } },
  });
  const digest = sha256(Buffer.from(versionText(artifacts, signature)));
  return Backend.parse({
    revision: `${digest.slice(0, 12)}-00000000`,
    version: '1.0.0',
    digest: `sha256:${digest}`,
    weight: 100,
    artifacts,
    signature,
    limits: { memoryBytes: 256 * 2 ** 20, timeoutMs: 5000, maxBatch: 64 },
    indicators: [{ kind: 'available' }],
  });
}

function graphOf(weight: number): Uint8Array {
  return onnxBytes({
    input: { name: 'input', shape: ['rows', INPUTS] },
    output: { name: 'output', shape: ['rows', 1] },
    nodes: [{ op: 'Gemm', inputs: ['input', 'weights', 'bias'], outputs: ['output'] }],
    constants: [
      { name: 'weights', shape: [INPUTS, 1], values: new Float32Array(INPUTS).fill(weight) },
      { name: 'bias', shape: [1], values: new Float32Array(1) },
    ],
  });
}

function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}
