import type { Backend, VersionLabel } from '@switchback-ml/schemas';
import type { FastifyInstance } from 'fastify';
import { SwitchbackError } from '../../error.ts';
import type { Inference } from '../../inference/inference.ts';
import type { Golden } from '../../loading/golden.ts';
import { authenticate } from '../access.ts';
import { printDocument } from './document.ts';
import { modelDocument } from './model-document.ts';
import { registerPage } from './page.ts';
import { rowOf } from './row.ts';
import { runtimeDocument } from './runtime-document.ts';

export interface OpenApiOptions {
  inference: Pick<Inference, 'describe'>;
  /** SHA-256 of each key that may call, as of now. */
  keys: () => readonly string[];
  /** A golden row of a revision, for the examples; null: not read yet. Absent: examples are made up. */
  golden?: (model: string, backend: Backend) => Golden | null;
}

interface ModelRoute {
  Params: { model: string; version?: string };
}

/** What can be asked here, as OpenAPI: of a model, of a version, and of the runtime; and a page to read it by. */
export function registerOpenApi(app: FastifyInstance, options: OpenApiOptions): void {
  const documents = rememberedDocuments(options);
  app.register(async guarded => {
    guarded.addHook('onRequest', async request =>
      authenticate(request.headers.authorization, options.keys()),
    );
    guarded.addHook('onSend', async (_, reply) => void reply.header('cache-control', 'no-store'));
    guarded.get('/openapi.json', async (_, reply) => reply.type(JSON_TYPE).send(documents.runtime()));
    for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version'])
      guarded.get<ModelRoute>(`${path}/openapi.json`, async ({ params: { model, version } }, reply) =>
        reply.type(JSON_TYPE).send(documents.ofModel(model, version ?? null)),
      );
  });
  registerPage(app);
}

const JSON_TYPE = 'application/json';

interface Documents {
  runtime(): string;
  /** Throws E_MODEL_UNKNOWN, E_MODEL_NOT_READY. */
  ofModel(model: string, version: string | null): string;
}

interface Remembered {
  /** Of what it was made besides the revision. */
  model: string;
  golden: Golden | null;
  /** By whether the addresses in it name the version. */
  texts: Map<boolean, string>;
}

/** Makes each document when it is first asked for, and keeps it as long as the snapshot that its revision came by. */
function rememberedDocuments({ inference, golden: goldenOf }: OpenApiOptions): Documents {
  const known = new WeakMap<Backend, Remembered>();
  let runtime: string | undefined;
  return {
    runtime() {
      runtime ??= printDocument(runtimeDocument());
      return runtime;
    },
    ofModel(model, version) {
      const backend = inference.describe(model, version);
      if (backend instanceof SwitchbackError) throw backend;
      const golden = goldenOf?.(model, backend) ?? null;
      const isNamed = version !== null;
      let remembered = known.get(backend);
      if (remembered?.model !== model || remembered.golden !== golden) {
        remembered = { model, golden, texts: new Map() };
        known.set(backend, remembered);
      }
      const text =
        remembered.texts.get(isNamed) ?? print(model, isNamed ? backend.version : null, backend, golden);
      remembered.texts.set(isNamed, text);
      return text;
    },
  };
}

function print(model: string, version: VersionLabel | null, backend: Backend, golden: Golden | null): string {
  return printDocument(modelDocument({ model, version, backend, row: rowOf(backend, golden) }));
}
