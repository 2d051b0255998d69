import { dirname } from 'node:path';
import type { Datatype, Signature, TensorSpec } from '@switchback-ml/schemas';
import * as ort from 'onnxruntime-node';
import type { Tensor, TensorData, Tensors } from '../tensor.ts';

/** A graph opened by ONNX Runtime in this very process. Opening and running both block the thread. */
export interface Session {
  signature: Signature;
  run(inputs: Tensors): Promise<Tensors>;
}

export class SessionError extends Error {
  readonly code: 'E_MODEL_LOAD' | 'E_ENGINE_MEMORY' | 'E_INTERNAL';

  constructor(code: SessionError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** ONNX Runtime's word for each datatype of the protocol. */
const ORT_TYPES = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<Datatype, ort.Tensor.Type>;

const DATATYPES: ReadonlyMap<string, Datatype> = new Map(
  Object.entries(ORT_TYPES).map(([ours, theirs]) => [theirs, ours as Datatype]),
);

/** One thread and no spinning: cores are shared with the front, and with other engines. */
const OPTIONS: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};

export async function openSession(path: string): Promise<Session> {
  const session = await ort.InferenceSession.create(path, OPTIONS).catch((error: unknown) => {
    throw sessionError('E_MODEL_LOAD', error, path);
  });
  const signature = { inputs: specs(session.inputMetadata), outputs: specs(session.outputMetadata) };
  const takesHalves = Object.values(signature.inputs).some(({ datatype }) => datatype === 'FP16');
  const feedsOf = takesHalves ? halvesToOrt : toOrt;
  return {
    signature,
    run: async inputs => {
      try {
        return fromOrt(await session.run(feedsOf(inputs)));
      } catch (error) {
        throw sessionError('E_INTERNAL', error, path);
      }
    },
  };
}

function specs(metadata: readonly ort.InferenceSession.ValueMetadata[]): Record<string, TensorSpec> {
  return Object.fromEntries(metadata.map(value => [value.name, spec(value)]));
}

function spec(value: ort.InferenceSession.ValueMetadata): TensorSpec {
  if (!value.isTensor) {
    const message = `"${value.name}" is a sequence or a map, not a tensor: export the model with plain tensors`;
    throw new SessionError('E_MODEL_LOAD', message);
  }
  const datatype = DATATYPES.get(value.type);
  if (datatype === undefined) {
    throw new SessionError(
      'E_MODEL_LOAD',
      `"${value.name}" has the type ${value.type}, which can't be served`,
    );
  }
  // A dimension that the graph names or leaves open is one that each request chooses.
  return { datatype, shape: value.shape.map(size => (typeof size === 'number' && size >= 0 ? size : -1)) };
}

function toOrt(inputs: Tensors): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const [name, { datatype, shape, data }] of inputs) {
    feeds[name] = new ort.Tensor(ORT_TYPES[datatype], data as ort.Tensor.DataType, shape);
  }
  return feeds;
}

/**
 * The same for a graph that takes halves. ONNX Runtime's tensor makes a Float16Array of them whatever they come as,
 * which its native part holds to be empty (microsoft/onnxruntime#32323); it reads their bits as whole numbers well.
 */
function halvesToOrt(inputs: Tensors): Record<string, ort.Tensor> {
  const feeds = toOrt(inputs);
  for (const [name, { data }] of inputs) {
    if (!(data instanceof Float16Array)) continue;
    const bits = new Uint16Array(data.buffer, data.byteOffset, data.length);
    Object.defineProperty(feeds[name], 'data', { value: bits });
  }
  return feeds;
}

function fromOrt(results: ort.InferenceSession.OnnxValueMapType): Tensors {
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of Object.entries(results)) {
    const { type, dims, data } = value as ort.Tensor;
    tensors.set(name, { datatype: DATATYPES.get(type)!, shape: dims, data: data as TensorData });
  }
  return tensors;
}

function sessionError(code: SessionError['code'], error: unknown, path: string): SessionError {
  if (error instanceof SessionError) return error;
  const message = redactPaths(error instanceof Error ? error.message : String(error), path);
  const isMemory = /bad_alloc|bad allocation|allocate memory|out of memory|array buffer allocation/i.test(
    message,
  );
  return new SessionError(isMemory ? 'E_ENGINE_MEMORY' : code, message);
}

/** ONNX Runtime names files of this machine, and of the machine that built it. Node names such as `/conv/Add` stay. */
export function redactPaths(message: string, path: string): string {
  return message
    .replaceAll(path, 'the model file')
    .replaceAll(`${dirname(path)}/`, '')
    .replace(/(?:\/[-\w.@+]+)+\.(?:cc|cpp|cu|h|hpp|so[.\d]*|node|onnx|data)(?::\d+)?/g, 'a file')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 600);
}
