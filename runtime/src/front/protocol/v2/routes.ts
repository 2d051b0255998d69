import type { Backend, ModelStatistics, TensorSpec } from '@switchback-ml/schemas';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { SwitchbackError } from '../../../error.ts';
import type { Inference } from '../../../inference/inference.ts';
import type { Readiness, Startup } from '../../../serving.ts';
import { BUILD } from '../../../telemetry/build.ts';
import { authenticate } from '../../access.ts';
import { type ReplyBy, replyBy } from '../../reply-by.ts';
import { EXTENSIONS } from './extensions.ts';
import { modelConfig } from './model-config.ts';
import { registerRepository } from './repository.ts';
import type { StatsSource } from './statistics.ts';
import { type StateOptions, versionState } from './version-state.ts';

export interface V2Options extends StateOptions {
  inference: Inference;
  /** SHA-256 of each key that may call, as of now. */
  keys: () => readonly string[];
  /** Of the snapshot that is served from; undefined: there is none yet. */
  commit: () => string | undefined;
  startup: () => Startup;
  readiness: () => Readiness;
  /** Absent: statistics tell names and versions alone. */
  stats?: StatsSource;
}

interface ModelRoute {
  Params: { model: string; version?: string };
}

/** The Open Inference Protocol over HTTP. Health is open to all; everything else wants an inference key. */
export function registerV2(app: FastifyInstance, options: V2Options): void {
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/startup', async (_, reply) => {
    const { isStarted, reasons } = options.startup();
    return reply.status(isStarted ? 200 : 503).send({ started: isStarted, reasons });
  });
  app.get('/v2/health/ready', async (_, reply) => {
    const { isReady, reasons } = options.readiness();
    return reply.status(isReady ? 200 : 503).send({ ready: isReady, reasons });
  });

  app.register(async guarded => {
    guarded.addHook('onRequest', async request =>
      authenticate(request.headers.authorization, options.keys()),
    );
    const { inference } = options;
    const by = replyBy(options.commit);
    guarded.get('/v2', async () => ({
      name: 'switchback',
      version: BUILD.version,
      extensions: ['binary_tensor_data', ...EXTENSIONS],
    }));
    guarded.get('/v2/models', async () => ({ models: inference.models() }));
    guarded.get('/v2/models/stats', async () => ({
      model_stats: inference.models().flatMap(model => statistics(options, { model })),
    }));
    for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version'])
      registerModel(guarded, path, options, by);
    registerRepository(guarded, options);
  });
}

function registerModel(app: FastifyInstance, path: string, options: V2Options, by: ReplyBy): void {
  app.get<ModelRoute>(path, async ({ params }, reply) =>
    by(backendOf(options, params), reply).send(metadata(options, params)),
  );
  app.get<ModelRoute>(`${path}/ready`, async ({ params }, reply) => {
    const backend = backendOf(options, params);
    return ready(options, params, backend, by(backend, reply));
  });
  app.get<ModelRoute>(`${path}/config`, async ({ params }, reply) => {
    const backend = backendOf(options, params);
    return by(backend, reply).send(modelConfig(params.model, backend));
  });
  app.get<ModelRoute>(`${path}/stats`, async ({ params }) => ({ model_stats: statistics(options, params) }));
  // Answered by the door, before any router; known here for the verbs that it does not take.
  app.post<ModelRoute>(`${path}/infer`, async () => {
    throw new SwitchbackError('E_INTERNAL', 'An inference request went past the door.');
  });
}

function metadata(options: V2Options, params: ModelRoute['Params']): object {
  const { inputs, outputs } = backendOf(options, params).signature;
  return {
    name: params.model,
    versions: options.inference.versions(params.model),
    platform: 'onnx_onnxv1',
    inputs: tensors(inputs),
    outputs: tensors(outputs),
  };
}

function ready(
  options: V2Options,
  params: ModelRoute['Params'],
  backend: Backend,
  reply: FastifyReply,
): FastifyReply {
  const { state, reasons } = versionState(options, params.model, backend);
  const isReady = state === 'READY';
  return reply
    .status(isReady ? 200 : 503)
    .send({ name: params.model, ready: isReady, ...(reasons.length > 0 && { state, reasons }) });
}

/** Of the version named, else of each one there is. */
function statistics(options: V2Options, params: ModelRoute['Params']): ModelStatistics[] {
  const { model } = params;
  const asked = backendOf(options, params);
  const versions = params.version === undefined ? options.inference.versions(model) : [asked.version];
  return versions.map(version => ({
    ...options.stats?.of(model, backendOf(options, { model, version })),
    name: model,
    version,
  }));
}

function backendOf({ inference }: V2Options, { model, version }: ModelRoute['Params']): Backend {
  const backend = inference.describe(model, version ?? null);
  if (backend instanceof SwitchbackError) throw backend;
  return backend;
}

function tensors(specs: Record<string, TensorSpec>): object[] {
  return Object.entries(specs).map(([name, { datatype, shape }]) => ({ name, datatype, shape }));
}
