import { makeClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';
import type { Backend, Datatype } from '@switchback-ml/schemas';
import type { ARRAYS, FixedDatatype } from '../../../engine/tensor.ts';
import { SwitchbackError } from '../../../error.ts';
import type { InferenceInput, Message } from '../../../inference/call.ts';
import { ratioVersion } from '../../../serving.fixture.ts';
import { loadDefinitions } from '../definitions.ts';
import { grpcMessages } from './protocol.ts';

/** The codec of others: what a client sends. */
const { ModelInfer } = makeClientConstructor(
  loadDefinitions().all['inference.GRPCInferenceService'] as ServiceDefinition,
  'inference',
).service;
export const encode = (request: object): Buffer => ModelInfer!.requestSerialize(request);

const NO_HEADERS = () => undefined;
export const message = (body: Buffer, header: Message['header'] = NO_HEADERS): Message => ({ body, header });

export function backendOf(datatype: Datatype, ...shape: number[]): Backend {
  const { backend } = ratioVersion({ limits: { maxBatch: 64 } });
  const outputs = { y: { datatype: 'FP32' as const, shape: [-1, 1] } };
  return { ...backend, signature: { inputs: { x: { datatype, shape } }, outputs } };
}

export function read(backend: Backend, request: object): InferenceInput {
  return grpcMessages.decode(message(encode(request))).read(backend);
}

export function refusal(act: () => unknown): SwitchbackError {
  try {
    act();
  } catch (error) {
    if (error instanceof SwitchbackError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

export const x = (
  datatype: string,
  shape: readonly (number | string)[],
  contents: object | null,
  more: object = {},
) => ({
  name: 'x',
  datatype,
  shape,
  ...(contents !== null && { contents }),
  ...more,
});

export function rawOf(data: InstanceType<(typeof ARRAYS)[FixedDatatype]> | string[]): Buffer {
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat(
    data.flatMap(text => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}
