import type { Backend } from '@switchback-ml/schemas';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { SwitchbackError } from '../../../error.ts';
import type { Inference } from '../../../inference/inference.ts';
import { authenticate } from '../../access.ts';
import { type ReplyBy, replyBy } from '../../reply-by.ts';
import { metadata } from './metadata.ts';
import { type LoadedState, versionStatus } from './version-status.ts';

export interface TfServingOptions {
  inference: Pick<Inference, 'describe' | 'versions' | 'models'>;
  /** SHA-256 of each key that may call, as of now. */
  keys: () => readonly string[];
  /** Of the snapshot that is served from; undefined: there is none yet. */
  commit: () => string | undefined;
  /** What is known of a revision that is to be served here; undefined: nothing was begun yet. */
  loaded: (model: string, backend: Backend) => LoadedState | undefined;
}

interface ModelRoute {
  Params: { model: string; version?: string };
}

/** What TensorFlow Serving tells of its models. All of it wants an inference key. */
export function registerTfServing(app: FastifyInstance, options: TfServingOptions): void {
  app.register(async guarded => {
    guarded.addHook('onRequest', async request =>
      authenticate(request.headers.authorization, options.keys()),
    );
    const by = replyBy(options.commit);
    guarded.get('/v1/models', async () => ({ models: options.inference.models() }));
    for (const path of ['/v1/models/:model', '/v1/models/:model/versions/:version']) {
      guarded.get<ModelRoute>(path, async ({ params }, reply) => {
        refuseCall(params, reply);
        return statusOf(options, params);
      });
      guarded.get<ModelRoute>(`${path}/metadata`, async ({ params }, reply) =>
        metadataOf(options, params, by, reply),
      );
    }
  });
}

/** The router takes the verb of a call for a part of the name before it. */
function refuseCall({ model, version = model }: ModelRoute['Params'], reply: FastifyReply): void {
  const colon = version.indexOf(':');
  if (colon === -1) return;
  reply.header('allow', 'POST');
  throw new SwitchbackError('E_METHOD', `"${version.slice(colon, colon + 20)}" is to be called by POST.`);
}

/**
 * Of the version named, else of each one there is. `name` and `ready` are what clients of KServe's first protocol look
 * for in the same place.
 */
function statusOf(options: TfServingOptions, { model, version }: ModelRoute['Params']): object {
  const asked = backendOf(options, model, version ?? null);
  const labels = version === undefined ? options.inference.versions(model) : [asked.version];
  return {
    name: model,
    ready: options.loaded(model, asked)?.state === 'ready',
    model_version_status: labels.map(label =>
      versionStatus(label, options.loaded(model, backendOf(options, model, label))),
    ),
  };
}

function metadataOf(
  options: TfServingOptions,
  { model, version }: ModelRoute['Params'],
  by: ReplyBy,
  reply: FastifyReply,
): FastifyReply {
  const backend = backendOf(options, model, version ?? null);
  return by(backend, reply).send(metadata(model, backend));
}

function backendOf({ inference }: TfServingOptions, model: string, version: string | null): Backend {
  const backend = inference.describe(model, version);
  if (backend instanceof SwitchbackError) throw backend;
  return backend;
}
