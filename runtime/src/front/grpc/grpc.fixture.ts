import { once } from 'node:events';
import { connect } from 'node:http2';
import {
  type ChannelOptions,
  type ClientReadableStream,
  credentials,
  Metadata,
  makeClientConstructor,
  type ServiceClientConstructor,
  type ServiceDefinition,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Backend, VersionLabel } from '@switchback-ml/schemas';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../clock.ts';
import type { Tensors } from '../../engine/tensor.ts';
import { SwitchbackError } from '../../error.ts';
import type { InferenceCall } from '../../inference/call.ts';
import type { Inference } from '../../inference/inference.ts';
import { Journey } from '../../inference/journey.ts';
import type { InferenceOutcome } from '../../inference/outcome.ts';
import { silentLog } from '../../log.ts';
import { KEY, ratioVersion } from '../../serving.fixture.ts';
import { nonFiniteOutputs } from '../../telemetry/counts.ts';
import { sha256Of } from '../access.ts';
import { loadDefinitions } from './definitions.ts';
import { type Grpc, type GrpcOptions, startGrpc } from './server.ts';

/** Two versions of the model "ratio". */
export const backends = ['1', '2'].map(label => ratioVersion({ label }).backend);

/** Divides. */
export function ratio(inputs: Tensors): Tensors {
  const { data: over, shape } = inputs.get('numerator')!;
  const { data: under } = inputs.get('denominator')!;
  const data = Float32Array.from(over as Float32Array, (value, index) => value / Number(under[index]));
  return new Map([['ratio', { datatype: 'FP32', shape, data }]]);
}

export const column = (name: string, ...values: number[]) => ({
  name,
  datatype: 'FP32',
  shape: [values.length, 1],
  contents: { fp32_contents: values },
});
/** A ModelInferRequest of one row. */
export const request = (over: number, under: number, more: object = {}) => ({
  model_name: 'ratio',
  inputs: [column('numerator', over), column('denominator', under)],
  ...more,
});

export interface ScriptedModel {
  /** In the order of their versions; the first answers what names none. */
  backends: Backend[];
  run(inputs: Tensors, call: InferenceCall): Tensors | Promise<Tensors>;
}

/** The service beneath a front, without engines: reads, runs a function, prints. */
export function scriptedInference(models: Record<string, ScriptedModel>): Inference {
  const describe: Inference['describe'] = (model, version) => {
    const backends = Object.hasOwn(models, model) ? models[model]!.backends : [];
    const found = version === null ? backends[0] : backends.find(backend => backend.version === version);
    return found ?? new SwitchbackError('E_MODEL_UNKNOWN', `There is no model "${model}" here.`);
  };
  return {
    describe,
    versions: model => models[model]?.backends.map(({ version }): VersionLabel => version) ?? [],
    models: () => Object.keys(models),
    async infer(call): Promise<InferenceOutcome> {
      const journey = new Journey('version');
      const backend = describe(call.model, call.version);
      if (backend instanceof SwitchbackError)
        return { kind: 'failed', backend: null, journey, error: backend };
      const request = call.protocol.decode(call.message);
      try {
        const outputs = await models[call.model]!.run(request.read(backend).inputs, call);
        const nonFinite = nonFiniteOutputs(outputs);
        return {
          kind: 'answered',
          backend,
          journey,
          reply: request.print({ model: call.model, backend, outputs, nonFinite }),
        };
      } catch (thrown) {
        if (!(thrown instanceof SwitchbackError)) throw thrown;
        return { kind: 'failed', backend, journey, error: thrown };
      }
    },
  };
}

export interface Answered {
  response: Record<string, unknown>;
  /** Sent before the answer. */
  headers: Metadata;
}

export interface GrpcFixture extends Grpc {
  /** Rejects with what gRPC says is wrong. */
  call(method: string, request?: object, options?: CallOptions): Promise<Answered>;
  /** What gRPC says is wrong; throws where nothing is. */
  refused(method: string, request?: object, options?: CallOptions): Promise<ServiceError>;
  watch(service: string): ClientReadableStream<{ status: string }>;
}

export interface CallOptions {
  key?: string | null;
  metadata?: Record<string, string>;
  deadlineMs?: number;
  signal?: AbortSignal;
  client?: ChannelOptions;
}

const DEFINITIONS = loadDefinitions();
const SERVICES = ['inference.GRPCInferenceService', 'grpc.health.v1.Health'].map(name =>
  makeClientConstructor(DEFINITIONS.all[name] as ServiceDefinition, name),
);

/** Of the snapshot that is served from. */
export const COMMIT = 'c'.repeat(40);

/** A server on a free port, and a client of its calls with the key of the tests. Stops with the test. */
export async function startGrpcFixture(
  inference: Inference,
  options: Partial<GrpcOptions> = {},
): Promise<GrpcFixture> {
  const grpc = await startGrpc({
    inference,
    keys: () => [sha256Of(KEY)],
    commit: () => COMMIT,
    startup: () => ({ isStarted: true, reasons: [] }),
    readiness: () => ({ isReady: true, reasons: [] }),
    isReady: () => true,
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    log: silentLog,
    ...options,
  });
  onTestFinished(() => grpc[Symbol.asyncDispose]());
  const call: GrpcFixture['call'] = (method, request = {}, given = {}) => unary(grpc, method, request, given);
  return {
    ...grpc,
    call,
    refused: (method, request, given) =>
      call(method, request, given).then(
        () => Promise.reject(new Error('nothing was refused')),
        (error: ServiceError) => error,
      ),
    watch(service) {
      const Client = SERVICES[1]!;
      const client = new Client(grpc.address, credentials.createInsecure());
      onTestFinished(() => client.close());
      return client['Watch']!({ service }, new Metadata()) as ClientReadableStream<{ status: string }>;
    },
  };
}

async function unary(grpc: Grpc, method: string, request: object, options: CallOptions): Promise<Answered> {
  const Client = SERVICES.find(({ service }) => Object.hasOwn(service, method)) as ServiceClientConstructor;
  const client = new Client(grpc.address, credentials.createInsecure(), options.client);
  const { key = KEY, deadlineMs } = options;
  const metadata = new Metadata();
  if (key !== null) metadata.set('authorization', `Bearer ${key}`);
  for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
  try {
    return await new Promise((resolve, reject) => {
      let headers = new Metadata();
      const made = client[method]!(
        request,
        metadata,
        deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
        (error: ServiceError | null, response: Record<string, unknown>) =>
          error === null ? resolve({ response, headers }) : reject(error),
      );
      made.on('metadata', (received: Metadata) => {
        headers = received;
      });
      options.signal?.addEventListener('abort', () => made.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}

/** Of a stream, what ended it. */
export async function endOf(stream: ClientReadableStream<unknown>): Promise<StatusObject> {
  const [error] = await once(stream.resume(), 'error');
  return error as StatusObject;
}

/** Sends a body as it is, framed or not, with a key; what came of it. */
export async function post(
  address: string,
  body: Buffer,
  path = '/inference.GRPCInferenceService/ModelInfer',
): Promise<{ code: number; details: string }> {
  const session = connect(`http://${address}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    authorization: `Bearer ${KEY}`,
  });
  stream.end(body);
  return new Promise((resolve, reject) => {
    const take = (headers: Record<string, unknown>): void => {
      const { 'grpc-status': code, 'grpc-message': details } = headers;
      if (code !== undefined) resolve({ code: Number(code), details: decodeURI(String(details)) });
    };
    stream.on('response', take).on('trailers', take).on('error', reject);
    stream.on('close', () => reject(new Error('closed without a status')));
    stream.resume();
  });
}
