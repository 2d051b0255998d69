import type { ModelVersion, Problem } from '@switchback-ml/schemas';
import type { PathChange, RepositoryFile } from '../../desired/desired-state.ts';
import { parseManifest } from '../../desired/manifests.ts';
import { placeOf } from '../../desired/place.ts';
import type { ArtifactHistory } from './artifact-history.ts';
import { type FolderPast, introduction, isUnpushed } from './past.ts';

/**
 * Versions that git has and the folder has not. Nobody's mistake now is one that was removed and pushed long ago, one
 * that others never had, and one that could serve at no time, since a file of it never was what it names.
 */
export async function removedVersions(
  files: ReadonlyMap<string, RepositoryFile>,
  past: FolderPast,
  artifacts: ArtifactHistory,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [path, changes] of past.history.paths) {
    if (placeOf(path).kind !== 'version' || files.has(path)) continue;
    const first = introduction(path, past);
    const last = changes.at(-1);
    if (!first || !last || isUnpushed(path, first.commit, past)) continue;
    if (last.blob === null && !isOurs(last, past)) continue;
    if (!(await couldServe(path, first, past, artifacts))) continue;
    problems.push(gone(path, first, last));
  }
  return problems;
}

/** Whether the removal can still be taken back: others do not have it, or, where nothing tells, it was made just now. */
function isOurs({ commit }: PathChange, { unpushed, isAlone, head }: FolderPast): boolean {
  return isAlone ? commit === head : unpushed.has(commit);
}

function gone(path: string, first: PathChange, last: PathChange): Problem {
  const from = last.blob === null ? (last.parent?.slice(0, 7) ?? 'HEAD') : 'HEAD';
  return {
    code: 'E_VERSION_CHANGED',
    severity: 'error',
    path,
    message: `${path} is gone, and versions are add-only: ${first.commit.slice(0, 7)} introduced it`,
    remedy: `Bring it back: git checkout ${from} -- ${path.slice(0, -'/version.yaml'.length)}`,
  };
}

async function couldServe(
  path: string,
  first: PathChange,
  { history }: FolderPast,
  artifacts: ArtifactHistory,
): Promise<boolean> {
  const folder = path.slice(0, -'version.yaml'.length);
  for (const [name, said] of Object.entries(artifactsIn(path, first, history)))
    if ((await artifacts.lastRight(folder + name, said)) === null) return false;
  return true;
}

function artifactsIn(
  path: string,
  { blob }: PathChange,
  { texts }: FolderPast['history'],
): ModelVersion['artifacts'] {
  const text = blob === null ? undefined : texts.get(blob);
  if (blob === null || text === undefined) return {};
  const parsed = parseManifest('version', path, { blob, mode: '100644', kind: 'manifest', text });
  return parsed.ok ? parsed.manifest.artifacts : {};
}
