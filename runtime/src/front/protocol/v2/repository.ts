import type { RepositoryIndex } from '@switchback-ml/schemas';
import type { FastifyInstance } from 'fastify';
import { SwitchbackError } from '../../../error.ts';
import type { Inference } from '../../../inference/inference.ts';
import { jsonText, NoJson, parseJson } from '../tensors/json/parse.ts';
import { badBody } from './bad-body.ts';
import { type StateOptions, versionState } from './version-state.ts';

export interface RepositoryOptions extends StateOptions {
  inference: Inference;
}

interface Verb {
  Params: { model: string; verb: string };
}

/** The `model_repository` extension: what there is can be read; what there shall be is for git to say. */
export function registerRepository(app: FastifyInstance, options: RepositoryOptions): void {
  app.post<{ Body: Buffer | undefined }>('/v2/repository/index', async ({ body }) =>
    index(options, wantsReady(body)),
  );
  app.post<Verb>('/v2/repository/models/:model/load', async ({ params }) => refuse(params.model, 'load'));
  app.post<Verb>('/v2/repository/models/:model/unload', async ({ params }) => refuse(params.model, 'unload'));
}

/** Every version of every model that is to be served here, loaded or not. */
function index({ inference, ...options }: RepositoryOptions, onlyReady: boolean): RepositoryIndex {
  const entries: RepositoryIndex = [];
  for (const model of inference.models())
    for (const version of inference.versions(model)) {
      const backend = inference.describe(model, version);
      // Went between the two looks.
      if (backend instanceof SwitchbackError) continue;
      const { state, reasons } = versionState(options, model, backend);
      const reason = reasons.map(({ code, message }) => `${code}: ${message}`).join(' ');
      if (state === 'READY' || !onlyReady) entries.push({ name: model, version, state, reason });
    }
  return entries;
}

/** Of the body of an index request, which may be left out. */
function wantsReady(body: Buffer | undefined): boolean {
  if (body === undefined || body.length === 0) return false;
  const text = jsonText(body);
  const json = text instanceof NoJson ? text : parseJson(text);
  if (json instanceof NoJson) throw badBody(json.why);
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  const ready = isObject && 'ready' in json ? json.ready : false;
  if (isObject && typeof ready === 'boolean') return ready;
  throw badBody('it must be an object in which "ready" is true or false');
}

function refuse(model: string, verb: 'load' | 'unload'): never {
  const file = `environments/<environment>/${model.slice(0, 100)}/release.yaml`;
  const how =
    verb === 'load'
      ? `commit ${file} with the version that shall run`
      : `take ${file} out of the repository, or another version into it`;
  throw new SwitchbackError('E_FORBIDDEN', `What is served is written in git alone. To ${verb} it, ${how}.`);
}
