import type { EnvironmentName, ModelName, Problem, VersionLabel } from '@switchback-ml/schemas';
import { API_VERSION } from '@switchback-ml/schemas';
import type { DesiredState, RepositoryFile } from '../desired/desired-state.ts';
import { placeOf } from '../desired/place.ts';
import { fileSettings, policySettings, type Setting, servingSettings } from '../registry/effective.ts';
import { findDeployment, findEnvironment, findModel, findVersion } from '../registry/find.ts';
import { documentText, type Field, nested } from './get/document-text.ts';
import { type ReadOptions, readRepository, type Source } from './workspace/read.ts';

/** `prod/screening`, `prod`, `screening@1.1.0`, or a model alone, which is asked for like an environment. */
export interface GetRequest {
  environment?: EnvironmentName | undefined;
  model?: ModelName | undefined;
  version?: VersionLabel | undefined;
}

export interface Shown {
  /** Where it stands; several: merged from them, the last one wins. */
  paths: readonly string[];
  text: string;
}

export interface Got {
  documents: readonly Shown[];
  /** Each value that holds with the file and line that say it. */
  settings: readonly Setting[];
  /** What is wrong in the files that were shown. */
  problems: readonly Problem[];
  source: Source;
}

/** Manifests as git has them, and what they come to. Throws E_NOT_FOUND with the nearest name. */
export async function get(request: GetRequest, options: ReadOptions): Promise<Got> {
  const { look, source } = await readRepository(options);
  const found = find(request, look.desired, look.view.files);
  const shown = new Set(found.documents.flatMap(({ paths }) => paths));
  const problems = look.desired.problems.filter(({ path }) => shown.has(path));
  // Rollouts play no part in what manifests say.
  return { ...found, problems, source: { ...source, notes: [] } };
}

type Files = ReadonlyMap<string, RepositoryFile>;
type Found = Pick<Got, 'documents' | 'settings'>;

function find(request: GetRequest, desired: DesiredState, files: Files): Found {
  const { environment, model, version } = request;
  if (model !== undefined && version !== undefined) return ofVersion(desired, files, model, version);
  if (environment !== undefined && model !== undefined)
    return ofDeployment(desired, files, environment, model);
  const name = environment ?? model;
  if (name === undefined) return { documents: [], settings: [] };
  const isModel = !desired.environments.has(name as EnvironmentName) && desired.models.has(name as ModelName);
  return isModel
    ? ofModel(desired, files, name as ModelName)
    : ofEnvironment(desired, files, name as EnvironmentName);
}

function ofDeployment(desired: DesiredState, files: Files, name: EnvironmentName, model: ModelName): Found {
  const environment = findEnvironment(desired, name);
  const deployment = findDeployment(environment, model);
  const { releasePath, holds, wanted } = deployment;
  const released = fileSettings(files, releasePath, 'release.');
  const newest = { name: 'release.version', value: wanted?.version, path: null, line: null };
  const serving = servingSettings(files, { environment: name, model });
  return {
    documents: [
      ...texts(files, [releasePath]),
      merged(serving),
      ...texts(
        files,
        holds.map(({ path }) => path),
      ),
    ],
    settings: [...(released.length > 0 ? released : [newest]), ...serving, ...policySettings(files, name)],
  };
}

/** The settings that somebody said, as the one document that they come to. */
function merged(settings: readonly Setting[]): Shown {
  const said = settings.filter(({ path }) => path !== null);
  const fields: Field[] = said.map(({ name, value }) => ({ name, value }));
  return {
    paths: [...new Set(said.flatMap(({ path }) => path ?? []))],
    text: documentText({ apiVersion: API_VERSION, kind: 'Serving', ...nested(fields) }),
  };
}

function ofEnvironment(desired: DesiredState, files: Files, name: EnvironmentName): Found {
  const path = `environments/${name}/environment.yaml`;
  // One that can't be read is shown all the same: it is what somebody has to mend.
  const environment = desired.broken.has(name) ? null : findEnvironment(desired, name);
  const releases = [...(environment?.deployments.values() ?? [])].map(({ releasePath }) => releasePath);
  const freezes = environment?.freezes.map(freeze => freeze.path) ?? [];
  return {
    documents: texts(files, [path, ...freezes, ...releases]),
    settings: [...policySettings(files, name), ...servingSettings(files, { environment: name })],
  };
}

function ofModel(desired: DesiredState, files: Files, name: ModelName): Found {
  findModel(desired, name);
  const paths = [...files.keys()].filter(path => {
    const place = placeOf(path);
    return (place.kind === 'model' || place.kind === 'serving') && place.model === name;
  });
  return { documents: texts(files, paths), settings: paths.flatMap(path => fileSettings(files, path, '')) };
}

function ofVersion(desired: DesiredState, files: Files, name: ModelName, label: VersionLabel): Found {
  const { folder } = findModel(desired, name);
  const path = `models/${folder}/versions/${label}/version.yaml`;
  if (!files.has(path)) findVersion(desired, name, label);
  return { documents: texts(files, [path]), settings: fileSettings(files, path, '') };
}

function texts(files: Files, paths: readonly string[]): Shown[] {
  return paths.flatMap(path => {
    const file = files.get(path);
    return file?.kind === 'manifest' ? [{ paths: [path], text: file.text }] : [];
  });
}
