import { createHash } from 'node:crypto';
import { BlobId, CommitSha } from '@switchback-ml/schemas';
import type { Tree } from './desired.ts';
import type { PathChange, RepositoryFile } from './desired-state.ts';
import { placeOf } from './place.ts';

/** What one commit does to the tree: new text, or null for removal. Equal text is no change, as in git. */
export type FixtureCommit = Readonly<Record<string, string | null>>;

export const FIRST_COMMIT_AT = 1_760_000_000_000;
export const BETWEEN_COMMITS_MS = 60_000;

/** The tree and first-parent history after these commits, oldest first, as a reader of git would find them. */
export function treeOf(commits: readonly FixtureCommit[]): Tree {
  const texts = new Map<string, string>();
  const history = {
    paths: new Map<string, PathChange[]>(),
    texts: new Map<BlobId, string>(),
    order: new Map<string, number>(),
    commits: new Map<CommitSha, number>(),
  };
  let parent: CommitSha | null = null;
  for (const [rank, edits] of commits.entries()) {
    const changed = Object.entries(edits).filter(([path, text]) => (texts.get(path) ?? null) !== text);
    const commit: CommitSha = commitSha(parent, rank, changed);
    for (const [path, text] of changed) {
      if (text === null) texts.delete(path);
      else texts.set(path, text);
      if (!matters(path)) continue;
      const change = changeOf(commit, parent, rank, text, changed.length === 1);
      history.paths.set(path, [...(history.paths.get(path) ?? []), change]);
      if (!history.order.has(path)) history.order.set(path, rank);
      if (change.blob !== null && text !== null && isRemembered(path)) history.texts.set(change.blob, text);
      history.commits.set(commit, rank);
    }
    parent = commit;
  }
  const files = new Map([...texts].map(([path, text]) => [path, fileOf(path, text)]));
  return { commit: parent ?? commitSha(null, -1, []), files, history };
}

/** The commit that stands at this place of the list, as `treeOf` names it. */
export function commitAt(tree: Tree, rank: number): CommitSha {
  const found = [...tree.history.commits].find(([, other]) => other === rank)?.[0];
  if (!found) throw new TypeError(`commitAt: commit ${rank} changed nothing that matters`);
  return found;
}

export function blobId(text: string): BlobId {
  const bytes = Buffer.from(text);
  return BlobId.parse(createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'));
}

export function lfsPointer(sha256: string, sizeBytes: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${sizeBytes}\n`;
}

function changeOf(
  commit: CommitSha,
  parent: CommitSha | null,
  rank: number,
  text: string | null,
  alone: boolean,
): PathChange {
  const at = FIRST_COMMIT_AT + rank * BETWEEN_COMMITS_MS;
  const blob = text === null ? null : blobId(text);
  return { commit, parent, at, author: 'mei', subject: `commit ${rank}`, blob, alone };
}

function commitSha(
  parent: CommitSha | null,
  rank: number,
  changed: readonly [string, string | null][],
): CommitSha {
  const said = JSON.stringify([parent, rank, changed]);
  return CommitSha.parse(createHash('sha1').update(said).digest('hex'));
}

function matters(path: string): boolean {
  const { kind } = placeOf(path);
  return kind !== 'other' && kind !== 'artifact' && kind !== 'bad-name' && kind !== 'unread';
}

function isRemembered(path: string): boolean {
  const { kind } = placeOf(path);
  return kind === 'release' || kind === 'version';
}

function fileOf(path: string, text: string): RepositoryFile {
  const base = { blob: blobId(text), mode: '100644' };
  if (path.endsWith('.yaml')) return { ...base, kind: 'manifest', text };
  const [, digest, size] = /^version \S+\noid sha256:(\w+)\nsize (\d+)\n$/.exec(text) ?? [];
  if (digest && size) return { ...base, kind: 'pointer', digest, sizeBytes: Number(size) };
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { ...base, kind: 'raw', sizeBytes: Buffer.byteLength(text), digest: sha256 };
}
