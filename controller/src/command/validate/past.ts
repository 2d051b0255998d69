import { type BlobId, CommitSha } from '@switchback-ml/schemas';
import type { PathChange, RepositoryHistory } from '../../desired/desired-state.ts';
import { parseManifest } from '../../desired/manifests.ts';
import { BlobReader } from '../../repository/git-cli/blob-reader.ts';
import { historyLog } from '../../repository/git-cli/history-log.ts';
import type { Git } from '../../repository/git-cli/run.ts';
import { extendHistory, hasLastingText, NO_HISTORY } from '../../repository/history.ts';
import { readFile } from '../../repository/read-file.ts';
import type { HistoryEntry } from '../../repository/repository.ts';
import type { Clone } from './clone.ts';

/** What the clone around a working folder knows of its past. */
export interface FolderPast {
  head: CommitSha;
  history: RepositoryHistory;
  /** What else was changed when, by path: artifacts, oldest first. */
  files: ReadonlyMap<string, readonly FileChange[]>;
  /** Commits that others do not have: not the upstream of the branch, or without one no branch of any remote. */
  unpushed: ReadonlySet<CommitSha>;
  /** Paths below `models/` that the upstream has, where a merge that is not pushed may have brought them here. */
  upstreamPaths: ReadonlySet<string>;
  /** Commits that no merge came after, so that what stands after them was made on top of them and nowhere else. */
  sinceMerge: ReadonlySet<CommitSha>;
  /** What is unpushed can be put on top of the upstream: merges brought nothing that the upstream has not. */
  canRebase: boolean;
  /**
   * No branch of any remote is known here, so nothing tells what others have. Such a repository may be nobody's
   * business yet (`git init` a minute ago), or itself what a controller watches. Its versions are therefore new where
   * a look does no harm (their graphs are tried), and everybody's where add-only is at stake (one that is gone is
   * missed, and how to correct one says that others may have it).
   */
  isAlone: boolean;
  /** A part of the history was left behind: what came before it looks as if it came with it. */
  isShallow: boolean;
}

interface FileChange {
  commit: CommitSha;
  /** Null: it was removed. */
  blob: BlobId | null;
  mode: string;
}

/** Null where there is no commit yet. */
export async function readPast({ git, root, said }: Clone, signal: AbortSignal): Promise<FolderPast | null> {
  const head = CommitSha.safeParse(await said('rev-parse', '--verify', '--quiet', 'HEAD^{commit}'));
  if (!head.success) return null;
  const upstream = CommitSha.safeParse(
    await said('rev-parse', '--verify', '--quiet', '@{upstream}^{commit}'),
  );
  const isAlone = !upstream.success && (await said('for-each-ref', '--count=1', 'refs/remotes')) === '';
  const others = upstream.success ? upstream.data : '--remotes';
  const entries = (await historyLog(git, null, head.data, signal)).map(entry => below(root, entry));
  const unpushed = new Set(isAlone ? [] : await commitsWithout(git, head.data, others, signal));
  const merge = await newestMerge(git, head.data, signal);
  const hasMerged = upstream.success && merge !== null && unpushed.has(merge);
  return {
    head: head.data,
    history: extendHistory(NO_HISTORY, entries, await textsOf(git, entries, signal)),
    files: changesOfFiles(entries),
    unpushed,
    upstreamPaths: new Set(hasMerged ? await pathsAt(git, upstream.data, root, signal) : []),
    sinceMerge: commitsSince(merge, entries),
    canRebase: hasMerged && (await countWithout(git, head.data, upstream.data, signal)) === unpushed.size,
    isAlone,
    isShallow: (await said('rev-parse', '--is-shallow-repository')) === 'true',
  };
}

/** Whether others do not have what stands at this path since this commit. */
export function isUnpushed(
  path: string,
  commit: CommitSha,
  { unpushed, upstreamPaths }: FolderPast,
): boolean {
  return unpushed.has(commit) && !upstreamPaths.has(path);
}

/** The change that made it a version: what could not be read never was one. Undefined: no commit has it. */
export function introduction(path: string, { history }: Pick<FolderPast, 'history'>): PathChange | undefined {
  return history.paths.get(path)?.find(({ blob }) => {
    const text = blob === null ? undefined : history.texts.get(blob);
    if (blob === null || text === undefined) return false;
    return parseManifest('version', path, { blob, mode: '100644', kind: 'manifest', text }).ok;
  });
}

async function commitsWithout(
  git: Git,
  head: CommitSha,
  others: string,
  signal: AbortSignal,
): Promise<CommitSha[]> {
  const { stdout } = await git.run({ args: ['rev-list', '--first-parent', head, '--not', others], signal });
  return stdout
    .toString('utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => CommitSha.parse(line));
}

/** Of all lines of history, not of the first parents alone. */
async function countWithout(
  git: Git,
  head: CommitSha,
  other: CommitSha,
  signal: AbortSignal,
): Promise<number> {
  const { stdout } = await git.run({ args: ['rev-list', '--count', head, '--not', other], signal });
  return Number(stdout.toString('utf8'));
}

async function newestMerge(git: Git, head: CommitSha, signal: AbortSignal): Promise<CommitSha | null> {
  const args = ['rev-list', '--first-parent', '--merges', '--max-count=1', head];
  const { stdout } = await git.run({ args, signal });
  return CommitSha.safeParse(stdout.toString('utf8').trim()).data ?? null;
}

/** The merge is among them; without one, all are. @param entries oldest first */
function commitsSince(merge: CommitSha | null, entries: readonly HistoryEntry[]): Set<CommitSha> {
  const at = entries.findLastIndex(({ commit }) => commit === merge);
  return new Set(entries.slice(Math.max(at, 0)).map(({ commit }) => commit));
}

async function pathsAt(git: Git, commit: CommitSha, root: string, signal: AbortSignal): Promise<string[]> {
  const args = ['ls-tree', '-r', '-z', '--name-only', '--full-tree', commit, '--', `${root}models/`];
  const { stdout } = await git.run({ args, signal });
  return stdout
    .toString('utf8')
    .split('\0')
    .map(path => path.slice(root.length));
}

function changesOfFiles(entries: readonly HistoryEntry[]): Map<string, FileChange[]> {
  const files = new Map<string, FileChange[]>();
  for (const { commit, changes } of entries)
    for (const { path, blob, mode } of changes) {
      if (!path.startsWith('models/') || path.endsWith('.yaml')) continue;
      const change = { commit, blob, mode };
      const known = files.get(path);
      if (known === undefined) files.set(path, [change]);
      else known.push(change);
    }
  return files;
}

/** Paths from the model repository's own folder; those beside it count for nothing. */
function below(root: string, entry: HistoryEntry): HistoryEntry {
  const changes = entry.changes.flatMap(change =>
    change.path.startsWith(root) ? [{ ...change, path: change.path.slice(root.length) }] : [],
  );
  return { ...entry, changes };
}

/** Of versions and releases, what they were: the rest is compared with nothing former. */
async function textsOf(
  git: Git,
  entries: readonly HistoryEntry[],
  signal: AbortSignal,
): Promise<Map<BlobId, string>> {
  await using blobs = new BlobReader(git);
  const source = {
    readBlob: (blob: BlobId, limitBytes: number, until: AbortSignal) => blobs.read(blob, limitBytes, until),
  };
  const texts = new Map<BlobId, string>();
  for (const { path, blob, mode } of entries.flatMap(({ changes }) => changes)) {
    if (blob === null || texts.has(blob) || !hasLastingText(path)) continue;
    const file = await readFile(source, { path, blob, mode }, signal);
    if (file.kind === 'manifest') texts.set(blob, file.text);
  }
  return texts;
}
