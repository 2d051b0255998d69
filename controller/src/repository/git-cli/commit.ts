import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobId, CommitSha } from '@switchback-ml/schemas';
import { type CommitParts, checkEdits, commitParts } from '../new-commit.ts';
import type { Edits, NewCommit } from '../repository.ts';
import type { Git } from './run.ts';

export interface CommitRequest {
  git: Git;
  /** Where the index of the moment stands; each commit has its own, so that no two meet. */
  scratch: string;
}

/** Builds a commit in the object database: blobs, an index of the moment, a tree, a commit. No ref moves. */
export async function makeCommit(
  { git, scratch }: CommitRequest,
  commit: NewCommit,
  signal: AbortSignal,
): Promise<CommitSha> {
  checkEdits(commit.edits);
  const parts = commitParts(commit);
  const index = join(scratch, `index-${randomUUID()}`);
  const env = { GIT_INDEX_FILE: index };
  try {
    await git.run({ args: ['read-tree', commit.parent ?? '--empty'], env, signal });
    const input = await indexLines(git, commit.edits, signal);
    await git.run({ args: ['update-index', '-z', '--index-info'], env, input, signal });
    const { stdout } = await git.run({ args: ['write-tree'], env, signal });
    return await commitTree(
      git,
      { tree: stdout.toString('latin1').trim(), parent: commit.parent, parts },
      signal,
    );
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}

export interface TreeCommit {
  tree: string;
  parent: CommitSha | null;
  parts: CommitParts;
}

export async function commitTree(
  git: Git,
  { tree, parent, parts }: TreeCommit,
  signal: AbortSignal,
): Promise<CommitSha> {
  const date = `@${parts.seconds} +0000`;
  const { stdout } = await git.run({
    args: ['commit-tree', ...(parent === null ? [] : ['-p', parent]), '-F', '-', tree],
    env: {
      GIT_AUTHOR_NAME: parts.name,
      GIT_AUTHOR_EMAIL: parts.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: parts.name,
      GIT_COMMITTER_EMAIL: parts.email,
      GIT_COMMITTER_DATE: date,
    },
    input: parts.message,
    signal,
  });
  return CommitSha.parse(stdout.toString('latin1').trim());
}

/** Removals first, so that a file may take the place of a folder. */
async function indexLines(git: Git, edits: Edits, signal: AbortSignal): Promise<string> {
  const removed: string[] = [];
  const written: string[] = [];
  for (const [path, content] of edits) {
    if (content === null) removed.push(`0 ${'0'.repeat(40)}\t${path}\0`);
    else written.push(`100644 ${await writeBlob(git, content, signal)}\t${path}\0`);
  }
  return [...removed, ...written].join('');
}

async function writeBlob(git: Git, content: string | Uint8Array, signal: AbortSignal): Promise<BlobId> {
  const { stdout } = await git.run({
    args: ['hash-object', '-w', '--no-filters', '--stdin'],
    input: content,
    signal,
  });
  return BlobId.parse(stdout.toString('latin1').trim());
}
