import type { Problem } from '@switchback-ml/schemas';
import type { PathChange, RepositoryFile } from '../../desired/desired-state.ts';
import { parseManifest } from '../../desired/manifests.ts';
import { placeOf } from '../../desired/place.ts';
import type { FolderPast } from './clone.ts';

/** Versions that git has and the folder has not. One that was removed and pushed long ago is nobody's mistake now. */
export function removedVersions(
  files: ReadonlyMap<string, RepositoryFile>,
  { history, unpushed }: FolderPast,
): Problem[] {
  return [...history.paths].flatMap(([path, changes]) => {
    if (placeOf(path).kind !== 'version' || files.has(path)) return [];
    const first = firstReadable(path, changes, history.texts);
    const last = changes.at(-1);
    if (!first || !last || (last.blob === null && !unpushed.has(last.commit))) return [];
    if (last.blob === null && unpushed.has(first.commit)) return [];
    const from = last.blob === null ? (last.parent?.slice(0, 7) ?? 'HEAD') : 'HEAD';
    return [
      {
        code: 'E_VERSION_CHANGED',
        severity: 'error' as const,
        path,
        message: `${path} is gone, and versions are add-only: ${first.commit.slice(0, 7)} introduced it`,
        remedy: `Bring it back: git checkout ${from} -- ${path.slice(0, -'/version.yaml'.length)}`,
      },
    ];
  });
}

/** Whether no commit that others have introduced it. */
export function isNew(
  path: string,
  { history, unpushed }: Pick<FolderPast, 'history' | 'unpushed'>,
): boolean {
  const [first] = history.paths.get(path) ?? [];
  return first === undefined || unpushed.has(first.commit);
}

/** What could not be read was never a version. */
function firstReadable(
  path: string,
  changes: readonly PathChange[],
  texts: FolderPast['history']['texts'],
): PathChange | undefined {
  return changes.find(({ blob }) => {
    const text = blob === null ? undefined : texts.get(blob);
    if (blob === null || text === undefined) return false;
    return parseManifest('version', path, { blob, mode: '100644', kind: 'manifest', text }).ok;
  });
}
