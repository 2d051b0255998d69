import type { Artifact, ModelVersion, Problem } from '@switchback-ml/schemas';
import type { DesiredVersion, RepositoryFile, RepositoryHistory } from './desired-state.ts';
import { versionDigest } from './identity.ts';
import { intoLfs } from './lfs-remedy.ts';
import { parseManifest } from './manifests.ts';
import { complain, type PlacedFile, readManifest } from './placed-file.ts';

export interface VersionReading {
  /** Former texts of manifests. */
  texts: RepositoryHistory['texts'];
  /** What stands beside the manifest, by path. */
  fileAt: (path: string) => RepositoryFile | undefined;
  problems: Problem[];
}

/** A version that can be trusted, or null with its problems told. */
export function readVersion(
  placed: PlacedFile,
  label: DesiredVersion['label'],
  reading: VersionReading,
): DesiredVersion | null {
  const manifest = readManifest('version', placed, reading.problems);
  if (!manifest) return null;
  const folder = placed.path.slice(0, -'version.yaml'.length);
  const problems = Object.entries(manifest.artifacts).map(([name, artifact]) =>
    artifactProblem(placed, folder, name, artifact, reading.fileAt(folder + name)),
  );
  for (const problem of problems) if (problem) reading.problems.push(problem);
  if (problems.some(problem => problem?.severity === 'error')) return null;

  const digest = versionDigest(manifest.artifacts, manifest.signature);
  const changedSince = changedAfter(placed, digest, reading.texts);
  if (changedSince !== null) {
    reading.problems.push(
      complain(placed, {
        code: 'E_VERSION_CHANGED',
        message: `was changed after ${changedSince.slice(0, 7)} introduced it`,
        remedy: `Copy what is new to a folder with a new label, then bring this one back: git checkout ${changedSince.slice(0, 7)} -- ${folder.slice(0, -1)}`,
      }),
    );
    return null;
  }
  return {
    label,
    digest,
    artifacts: manifest.artifacts,
    signature: manifest.signature,
    evaluation: manifest.evaluation ?? [],
    facts: new Set(factPaths(manifest)),
    introducedAt: placed.changes?.[0]?.at ?? 0,
  };
}

function artifactProblem(
  placed: PlacedFile,
  folder: string,
  name: string,
  said: Artifact,
  file: RepositoryFile | undefined,
): Problem | null {
  const field = ['artifacts', name];
  const path = folder + name;
  if (!file)
    return complain(placed, {
      code: 'E_ARTIFACT_MISSING',
      field,
      message: `${path} is named but not in the repository`,
      remedy: 'Commit it, or register the version again.',
    });
  if (file.kind === 'refused')
    return complain(placed, {
      code: 'E_FILE_KIND',
      field,
      message: `${path} ${file.message}`,
      remedy: 'Commit the file itself, by Git LFS.',
    });
  if (file.kind === 'manifest' || (file.digest === null && file.sizeBytes === said.size))
    return complain(placed, {
      code: 'E_RAW_ARTIFACT',
      field,
      message: `${path} is in git itself and too large to be read from there`,
      remedy: `Put it into LFS: ${intoLfs(name)}`,
    });
  if (file.digest !== said.sha256 || file.sizeBytes !== said.size)
    return complain(placed, {
      code: 'E_ARTIFACT_DIFFERS',
      field,
      ...differenceWords(placed, path, said, file),
    });
  if (file.kind !== 'raw') return null;
  return complain(placed, {
    code: 'W_RAW_ARTIFACT',
    severity: 'warning',
    field,
    message: `${path} is in git itself, not in Git LFS`,
    remedy: `Run: ${intoLfs(name)}`,
  });
}

function differenceWords(
  { changes = [] }: PlacedFile,
  path: string,
  said: Artifact,
  file: { digest: string | null; sizeBytes: number },
): { message: string; remedy: string } {
  const digest = file.digest === null ? '' : ` with sha256 ${file.digest}`;
  return {
    message: `${path} is ${file.sizeBytes} bytes${digest}; version.yaml names ${said.size} bytes with sha256 ${said.sha256}`,
    remedy:
      changes.length === 0
        ? 'If the file is right, write its values into version.yaml.'
        : 'Versions never change: bring the file back from the commit that had it right, or give these bytes a new label.',
  };
}

/** Versions are add-only: what stood first under a label is what the label means. Null: nothing else has. */
function changedAfter(
  { path, changes, file }: PlacedFile,
  digest: DesiredVersion['digest'],
  texts: RepositoryHistory['texts'],
): string | null {
  for (const { blob, commit } of changes ?? []) {
    if (blob === file.blob) return null;
    const text = blob === null ? undefined : texts.get(blob);
    if (blob === null || text === undefined) continue;
    const first = parseManifest('version', path, { blob, mode: file.mode, kind: 'manifest', text });
    if (!first.ok) continue;
    return versionDigest(first.manifest.artifacts, first.manifest.signature) === digest ? null : commit;
  }
  return null;
}

function factPaths(value: ModelVersion): string[] {
  return membersOf(value, '');
}

function membersOf(value: unknown, prefix: string): string[] {
  const own = prefix ? [prefix] : [];
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return own;
  return own.concat(
    Object.entries(value).flatMap(([key, member]) => membersOf(member, prefix ? `${prefix}.${key}` : key)),
  );
}
