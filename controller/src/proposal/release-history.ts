import type { CommitSha, VersionLabel } from '@switchback-ml/schemas';
import { parse } from 'yaml';
import type { DesiredVersion, PathChange, RepositoryHistory } from '../desired/desired-state.ts';

export interface PastRelease {
  change: PathChange;
  /** Null: the release was removed, or could not be read. */
  version: VersionLabel | null;
  text: string | null;
}

/** What a release.yaml said over time, oldest first. */
export function pastReleases(path: string, history: RepositoryHistory): PastRelease[] {
  return (history.paths.get(path) ?? []).map(change => {
    const text = change.blob === null ? null : (history.texts.get(change.blob) ?? null);
    return { change, text, version: text === null ? null : versionIn(text) };
  });
}

/** Whether the environment's first-parent history ever held this version, by label or under another label's digest. */
export function everReleased(
  path: string,
  version: DesiredVersion,
  versions: readonly DesiredVersion[],
  history: RepositoryHistory,
): boolean {
  const labels = new Set(
    versions.filter(({ digest }) => digest === version.digest).map(({ label }) => label),
  );
  labels.add(version.label);
  return pastReleases(path, history).some(({ version: label }) => label !== null && labels.has(label));
}

/** The newest first-parent commit that made the release name this version when it had not before. */
export function settingCommit(
  path: string,
  label: VersionLabel,
  history: RepositoryHistory,
): { commit: CommitSha; index: number } | null {
  const past = pastReleases(path, history);
  for (let index = past.length - 1; index >= 0; index--) {
    const before = past[index - 1]?.version ?? null;
    if (past[index]?.version === label && before !== label)
      return { commit: past[index]!.change.commit, index };
  }
  return null;
}

/** Former texts were manifests once or never: read leniently, for the one field that matters here. */
function versionIn(text: string): VersionLabel | null {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0 });
    if (typeof value !== 'object' || value === null || !('version' in value)) return null;
    return typeof value.version === 'string' ? (value.version as VersionLabel) : null;
  } catch {
    return null;
  }
}
