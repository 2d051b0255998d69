import type { BlobId, CommitSha } from '@switchback-ml/schemas';
import type { PathChange, RepositoryHistory } from '../desired/desired-state.ts';
import { grown } from './grown-map.ts';
import type { HistoryEntry } from './repository.ts';

export const NO_HISTORY: RepositoryHistory = {
  paths: new Map(),
  texts: new Map(),
  order: new Map(),
  commits: new Map(),
};

/** Paths whose changes matter later: every manifest of models and environments. */
export const isManifestPath = (path: string): boolean => /^(models|environments)\/.*\.yaml$/.test(path);

/** Paths whose former texts matter later: what was released, and what a version was when it came. */
export const hasLastingText = (path: string): boolean => /\/(release|version)\.yaml$/.test(path);

/**
 * History with newer first-parent commits added, the given one untouched. Ranks are positions in the first-parent
 * line, so that order never depends on what a clock said.
 *
 * @param entries with paths relative to the model repository's root, oldest first
 */
export function extendHistory(
  history: RepositoryHistory,
  entries: readonly HistoryEntry[],
  texts: ReadonlyMap<BlobId, string>,
): RepositoryHistory {
  const added = new Map<string, PathChange[]>();
  const order = new Map<string, number>();
  const commits = new Map<CommitSha, number>();
  for (const entry of entries) {
    const rank = history.commits.size + commits.size;
    commits.set(entry.commit, rank);
    for (const { path, blob } of entry.changes) {
      if (!isManifestPath(path)) continue;
      const { commit, parent, at, author, subject, changes } = entry;
      const change = { commit, parent, at, author, subject, blob, alone: changes.length === 1 };
      const list = added.get(path);
      if (list === undefined) added.set(path, [change]);
      else list.push(change);
      if (blob !== null && !history.order.has(path) && !order.has(path)) order.set(path, rank);
    }
  }
  const paths = new Map<string, readonly PathChange[]>();
  for (const [path, list] of added) paths.set(path, [...(history.paths.get(path) ?? []), ...list]);
  return {
    paths: grown(history.paths, paths),
    order: grown(history.order, order),
    commits: grown(history.commits, commits),
    texts: grown(history.texts, texts),
  };
}
