import type { Artifact, ModelName, ModelVersion, Problem, ServingPart } from '@switchback-ml/schemas';
import type { DesiredModel, DesiredVersion, RepositoryFile, RepositoryHistory } from './desired-state.ts';
import { versionDigest } from './identity.ts';
import type { Reading } from './reading.ts';

export interface Models {
  models: ReadonlyMap<ModelName, DesiredModel>;
  /** What the model itself says of how it is run; null: it says something that can't be read. */
  serving: ReadonlyMap<ModelName, ServingPart | null>;
}

/** Assembles models and their versions; a version that can't be trusted is left out with its problem. */
export function readModels(reading: Reading): Models {
  const serving = new Map<ModelName, ServingPart | null>();
  const found = new Map<ModelName, { folder: string; versions: DesiredVersion[] }>();
  for (const { path, place, file } of reading.files) {
    if (place.kind !== 'model' && place.kind !== 'serving' && place.kind !== 'version') continue;
    const known = found.get(place.model) ?? { folder: place.folder, versions: [] };
    if (known.folder !== place.folder) {
      reading.report(
        'E_DUPLICATE_NAME',
        path,
        `the model name "${place.model}" stands in ${known.folder} and in ${place.folder}`,
        'Rename one of the two folders: names are unique.',
      );
      continue;
    }
    found.set(place.model, known);
    if (place.kind === 'model') reading.parse('model', path, file);
    if (place.kind === 'serving') serving.set(place.model, reading.parse('serving', path, file));
    if (place.kind === 'version') {
      const manifest = reading.parse('version', path, file);
      const version = manifest && readVersion(reading, path, place.label, manifest);
      if (version) known.versions.push(version);
    }
  }
  const models = new Map<ModelName, DesiredModel>();
  for (const [name, { folder, versions }] of found) {
    models.set(name, { name, folder, versions: inOrderOfIntroduction(folder, versions, reading.history) });
  }
  return { models, serving };
}

function readVersion(
  reading: Reading,
  path: string,
  label: DesiredVersion['label'],
  manifest: ModelVersion,
): DesiredVersion | null {
  const folder = path.slice(0, -'version.yaml'.length);
  const problems = Object.entries(manifest.artifacts).map(([name, artifact]) =>
    artifactProblem(path, folder + name, artifact, reading.byPath.get(folder + name)),
  );
  for (const problem of problems) if (problem) reading.problems.push(problem);
  if (problems.some(problem => problem?.severity === 'error')) return null;

  const digest = versionDigest(manifest.artifacts, manifest.signature);
  if (!isUnchanged(reading, path, digest)) return null;
  const introducedAt = reading.history.paths.get(path)?.[0]?.at ?? 0;
  return {
    label,
    digest,
    artifacts: manifest.artifacts,
    signature: manifest.signature,
    evaluation: manifest.evaluation ?? [],
    facts: new Set(factPaths(manifest)),
    introducedAt,
  };
}

function artifactProblem(
  manifest: string,
  path: string,
  said: Artifact,
  file: RepositoryFile | undefined,
): Problem | null {
  const problem = (code: Problem['code'], message: string, remedy: string): Problem => ({
    code,
    severity: 'error',
    path: manifest,
    message,
    remedy,
  });
  if (!file)
    return problem(
      'E_ARTIFACT_MISSING',
      `${path} is named but not in the repository`,
      'Commit it, or register the version again.',
    );
  if (file.kind === 'refused')
    return problem('E_FILE_KIND', `${path} ${file.message}`, 'Commit the file itself, by Git LFS.');
  const digest = file.kind === 'pointer' || file.kind === 'raw' ? file.digest : null;
  const size = file.kind === 'manifest' ? -1 : file.sizeBytes;
  if (digest !== said.sha256 || size !== said.size) {
    return problem(
      'E_ARTIFACT_DIFFERS',
      `${path} is not the file that version.yaml names (${digest?.slice(0, 12) ?? 'no digest'}, ${size} bytes)`,
      'Versions never change: register the new bytes as a new version.',
    );
  }
  if (file.kind !== 'raw') return null;
  return {
    ...problem(
      'W_RAW_ARTIFACT',
      `${path} is in git itself, not in Git LFS`,
      'Run: git lfs migrate import --include="models/**/versions/**"',
    ),
    severity: 'warning',
  };
}

/** Versions are add-only: what stood first under a label is what the label means. */
function isUnchanged(reading: Reading, path: string, digest: DesiredVersion['digest']): boolean {
  for (const change of reading.history.paths.get(path) ?? []) {
    const text = change.blob === null ? undefined : reading.history.texts.get(change.blob);
    if (change.blob === null || text === undefined) continue;
    const first = reading.quietly('version', path, {
      blob: change.blob,
      mode: '100644',
      kind: 'manifest',
      text,
    });
    if (!first) continue;
    if (versionDigest(first.artifacts, first.signature) === digest) return true;
    reading.report(
      'E_VERSION_CHANGED',
      path,
      `${path} was changed after ${change.commit.slice(0, 7)} introduced it`,
      'Restore it, and register the new bytes as a new version.',
    );
    return false;
  }
  return true;
}

function inOrderOfIntroduction(
  folder: string,
  versions: DesiredVersion[],
  history: RepositoryHistory,
): DesiredVersion[] {
  const order = new Map<string, number>();
  const path = (version: DesiredVersion): string => `models/${folder}/versions/${version.label}/version.yaml`;
  for (const version of versions)
    order.set(version.label, history.order.get(path(version)) ?? Number.MAX_SAFE_INTEGER);
  return versions.sort(
    (a, b) => (order.get(a.label) ?? 0) - (order.get(b.label) ?? 0) || (a.label < b.label ? -1 : 1),
  );
}

function factPaths(value: unknown, prefix = ''): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return prefix ? [prefix] : [];
  const own = prefix ? [prefix] : [];
  return own.concat(
    Object.entries(value).flatMap(([key, member]) => factPaths(member, prefix ? `${prefix}.${key}` : key)),
  );
}
