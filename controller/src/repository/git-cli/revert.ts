import { CommitSha } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { Change, Edits } from '../repository.ts';
import type { BlobReader } from './blob-reader.ts';
import { commitTree } from './commit.ts';
import { parseChanges } from './raw.ts';
import type { Git } from './run.ts';

export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const CONTENT_LIMIT = 32 * 1024 * 1024;
const CONFLICT = 1;

export interface RevertRequest {
  git: Git;
  blobs: BlobReader;
}

/**
 * A three-way merge of `head` with the commit's undoing: a commit on top of it that has its first parent's tree, so
 * that the merge base is the commit itself. Only objects are written.
 */
export async function makeRevert(
  request: RevertRequest,
  commit: CommitSha,
  head: CommitSha,
  signal: AbortSignal,
): Promise<Edits | null> {
  const { git } = request;
  const before = await parentTree(git, commit, signal);
  const parts = { message: 'undo\n', name: 'switchback', email: 'switchback@localhost', seconds: 0 };
  const undoing = await commitTree(git, { tree: before, parent: commit, parts }, signal);
  const merged = await git.run({
    args: ['merge-tree', '--write-tree', '-z', '--no-messages', head, undoing],
    signal,
    accept: [0, CONFLICT],
  });
  if (merged.code === CONFLICT) return null;

  const tree = merged.stdout.toString('latin1').split('\0')[0]?.trim() ?? '';
  const changes = await treeChanges(git, head, tree, signal);
  const touched = new Set((await treeChanges(git, before, commit, signal)).map(change => change.path));
  // git follows what it takes for renames, also into another model's release, since these are all nearly alike.
  if (changes.some(change => !touched.has(change.path))) return null;
  return readEdits(request.blobs, changes, signal);
}

export async function treeChanges(
  git: Git,
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<Change[]> {
  const args = [
    'diff-tree',
    '-r',
    '-z',
    '--raw',
    '--no-renames',
    '--no-abbrev',
    '--end-of-options',
    from,
    to,
  ];
  const { stdout } = await git.run({ args, signal });
  return parseChanges(stdout);
}

async function parentTree(git: Git, commit: CommitSha, signal: AbortSignal): Promise<string> {
  const { stdout } = await git.run({
    args: ['rev-list', '--parents', '--max-count=1', '--end-of-options', commit],
    signal,
  });
  const [, parent] = stdout.toString('latin1').trim().split(' ');
  return parent === undefined ? EMPTY_TREE : `${CommitSha.parse(parent)}^{tree}`;
}

/** Null where an edit can't say it: a symbolic link, a submodule, an executable file, or too many bytes. */
async function readEdits(
  blobs: BlobReader,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<Edits | null> {
  const edits = new Map<string, Uint8Array | null>();
  for (const { path, blob, mode } of changes) {
    if (blob === null) {
      edits.set(path, null);
      continue;
    }
    if (mode !== '100644') return null;
    const content = await blobs.read(blob, CONTENT_LIMIT, signal);
    if (content.kind === 'too-large')
      throw new SwitchbackError('E_GIT_FAILED', `${path} is too large to be written back.`);
    edits.set(path, content.bytes);
  }
  return edits;
}
