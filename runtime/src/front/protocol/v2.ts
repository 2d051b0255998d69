import { ANSWERED_BY, type Backend, type TensorSpec } from '@switchback-ml/schemas';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SwitchbackError } from '../../error.ts';
import type { Inference } from '../../inference.ts';
import type { Readiness } from '../../serving.ts';
import { authenticate } from '../access.ts';
import { parseRequest, readTensors } from './v2-request.ts';
import { printResponse } from './v2-response.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

export interface V2Options {
  inference: Inference;
  /** SHA-256 of each key that may call, as of now. */
  keys: () => readonly string[];
  readiness: () => Readiness;
  isReady: (model: string, backend: Backend) => boolean;
}

interface ModelRoute {
  Params: { model: string; version?: string };
}

/** The Open Inference Protocol over HTTP. Health is open to all; everything else wants an inference key. */
export function registerV2(app: FastifyInstance, options: V2Options): void {
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async (_, reply) => {
    const { isReady, reasons } = options.readiness();
    return reply.status(isReady ? 200 : 503).send({ ready: isReady, reasons });
  });

  app.register(async guarded => {
    guarded.addHook('onRequest', async request =>
      authenticate(request.headers.authorization, options.keys()),
    );
    guarded.get('/v2', async () => ({ name: 'switchback', version: '0.1.0', extensions: [] }));
    for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
      guarded.get<ModelRoute>(path, async (request, reply) => describe(options, request, reply));
      guarded.get<ModelRoute>(`${path}/ready`, async (request, reply) => ready(options, request, reply));
      guarded.post<ModelRoute>(`${path}/infer`, async (request, reply) => infer(options, request, reply));
    }
  });
}

function describe(
  { inference }: V2Options,
  { params }: FastifyRequest<ModelRoute>,
  reply: FastifyReply,
): FastifyReply {
  const backend = backendOf(inference, params);
  const { inputs, outputs } = backend.signature;
  return answeredBy(reply, backend).send({
    name: params.model,
    versions: inference.versions(params.model),
    platform: 'onnx_onnxv1',
    inputs: tensors(inputs),
    outputs: tensors(outputs),
  });
}

function ready(
  options: V2Options,
  { params }: FastifyRequest<ModelRoute>,
  reply: FastifyReply,
): FastifyReply {
  const backend = backendOf(options.inference, params);
  const isReady = options.isReady(params.model, backend);
  return answeredBy(reply, backend)
    .status(isReady ? 200 : 503)
    .send({ name: params.model, ready: isReady });
}

async function infer(
  { inference }: V2Options,
  request: FastifyRequest<ModelRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (request.headers['inference-header-content-length'] !== undefined)
    throw new SwitchbackError(
      'E_BODY',
      'Binary tensors are not supported: send every tensor as JSON in "data".',
    );
  const { model, version = null } = request.params;
  const parsed = parseRequest(request.body);
  const outcome = await inference.infer({ model, version, read: backend => readTensors(parsed, backend) });
  if (outcome.backend !== null) answeredBy(reply, outcome.backend);
  if (outcome.kind === 'failed') throw outcome.error;
  return reply.type(JSON_TYPE).send(printResponse(parsed, { model, ...outcome }));
}

function backendOf(inference: Inference, { model, version }: ModelRoute['Params']): Backend {
  const backend = inference.describe(model, version ?? null);
  if (backend instanceof SwitchbackError) throw backend;
  return backend;
}

function answeredBy(reply: FastifyReply, { version, revision }: Backend): FastifyReply {
  return reply.header(ANSWERED_BY.version, version).header(ANSWERED_BY.revision, revision);
}

function tensors(specs: Record<string, TensorSpec>): object[] {
  return Object.entries(specs).map(([name, { datatype, shape }]) => ({ name, datatype, shape }));
}
