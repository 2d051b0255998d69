import { type BlobId, CommitSha } from '@switchback-ml/schemas';
import git, { type CommitObject } from 'isomorphic-git';
import { SwitchbackError } from '../../error.ts';
import { type CommitParts, checkEdits, commitParts } from '../new-commit.ts';
import { qualifiedRef } from '../ref.ts';
import type {
  BlobContent,
  Edits,
  Head,
  HistoryEntry,
  NewCommit,
  PushOutcome,
  Repository,
} from '../repository.ts';
import { GIT_DIRECTORY, type MemoryRemote } from './remote.ts';
import { diffFlatTrees, type FlatTree, readFlatTree, writeFlatTree } from './tree.ts';

export { type MemoryRemote, memoryRemote } from './remote.ts';

/** The model repository in memory: the same objects and ids as git's own, without a process or a disk. */
export function memoryRepository({ remote }: { remote: MemoryRemote }): Repository {
  const repository = new MemoryRepository(remote);
  return repository;
}

class MemoryRepository implements Repository {
  readonly #remote: MemoryRemote;
  readonly #place: { fs: MemoryRemote['fs']; gitdir: string };
  readonly #fetched = new Map<string, Head>();

  constructor(remote: MemoryRemote) {
    this.#remote = remote;
    this.#place = { fs: remote.fs, gitdir: GIT_DIRECTORY };
  }

  async fetch(name: string, signal: AbortSignal): ReturnType<Repository['fetch']> {
    const ref = qualifiedRef(name);
    signal.throwIfAborted();
    this.#checkReachable();
    const commit = this.#remote.refs.get(ref);
    const head: Head = commit === undefined ? { kind: 'empty' } : { kind: 'commit', commit };
    this.#fetched.set(ref, head);
    return head;
  }

  async recall(name: string): Promise<Head> {
    return this.#fetched.get(qualifiedRef(name)) ?? { kind: 'empty' };
  }

  async diff(from: CommitSha | null, to: CommitSha): ReturnType<Repository['diff']> {
    return diffFlatTrees(await this.#filesAt(from), await this.#filesAt(to));
  }

  async history(from: CommitSha | null, to: CommitSha): Promise<HistoryEntry[]> {
    const excluded = from === null ? new Set<string>() : await this.#reachable(from);
    const entries: HistoryEntry[] = [];
    for (let at: CommitSha | null = to; at !== null && !excluded.has(at); ) {
      const entry: HistoryEntry = await this.#entry(at);
      entries.push(entry);
      at = entry.parent;
    }
    return entries.reverse();
  }

  async isAncestor(ancestor: CommitSha, descendant: CommitSha): Promise<boolean> {
    try {
      await this.#read(ancestor);
      return (await this.#reachable(descendant)).has(ancestor);
    } catch {
      return false;
    }
  }

  async readBlob(blob: BlobId, limitBytes: number): Promise<BlobContent> {
    const found = await git.readBlob({ ...this.#place, oid: blob }).catch(cause => {
      throw new SwitchbackError('E_GIT_FAILED', `The file content ${blob} is not in the repository.`, {
        cause,
      });
    });
    if (found.blob.length > limitBytes) return { kind: 'too-large', sizeBytes: found.blob.length };
    return { kind: 'bytes', bytes: found.blob };
  }

  async commit(commit: NewCommit): Promise<CommitSha> {
    checkEdits(commit.edits);
    const files = await this.#filesAt(commit.parent);
    await this.#apply(files, commit.edits);
    return this.#write(await writeFlatTree(this.#remote, files), commit.parent, commitParts(commit));
  }

  async revert(commit: CommitSha, head: CommitSha): Promise<Edits | null> {
    const { commit: reverted } = await this.#read(commit);
    const [parent] = reverted.parent;
    const before = await this.#filesAt(parent === undefined ? null : CommitSha.parse(parent));
    const parts = { message: 'undo\n', name: 'switchback', email: 'switchback@localhost', seconds: 0 };
    const undoing = await this.#write(await writeFlatTree(this.#remote, before), commit, parts);
    const tree = await this.#mergedTree(head, undoing, parts);
    if (tree === null) return null;

    const edits = new Map<string, Uint8Array | null>();
    for (const change of diffFlatTrees(await this.#filesAt(head), await readFlatTree(this.#remote, tree))) {
      if (change.blob !== null && change.mode !== '100644') return null;
      edits.set(change.path, change.blob && (await git.readBlob({ ...this.#place, oid: change.blob })).blob);
    }
    return edits;
  }

  async push(
    name: string,
    expected: CommitSha | null,
    next: CommitSha,
    signal: AbortSignal,
  ): Promise<PushOutcome> {
    const ref = qualifiedRef(name);
    if (expected !== null && !(await this.isAncestor(expected, next))) {
      throw new SwitchbackError(
        'E_GIT_FAILED',
        `The commit for ${ref} does not descend from what is expected there.`,
      );
    }
    signal.throwIfAborted();
    this.#checkReachable();
    const at = this.#remote.refs.get(ref) ?? null;
    if (at === next) return { kind: 'pushed' };
    if (at !== expected)
      return { kind: at !== null && (await this.isAncestor(next, at)) ? 'pushed' : 'moved' };
    if (this.#remote.refusal !== null) return { kind: 'refused', reason: this.#remote.refusal };
    this.#remote.refs.set(ref, next);
    return { kind: 'pushed' };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #checkReachable(): void {
    if (!this.#remote.isReachable) {
      throw new SwitchbackError(
        'E_GIT_UNREACHABLE',
        'The remote of the model repository can not be reached.',
      );
    }
  }

  async #read(commit: string): Promise<{ commit: CommitObject }> {
    return git.readCommit({ ...this.#place, oid: commit });
  }

  async #entry(oid: CommitSha): Promise<HistoryEntry> {
    const { commit } = await this.#read(oid);
    const parent = commit.parent[0] === undefined ? null : CommitSha.parse(commit.parent[0]);
    const [subject = '', ...rest] = commit.message.split(/\n{2,}/);
    return {
      commit: oid,
      parent,
      at: commit.committer.timestamp * 1000,
      author: commit.author.name,
      subject: subject.trim().replaceAll('\n', ' '),
      body:
        rest.length === 0
          ? ''
          : commit.message.slice(commit.message.indexOf('\n\n')).replace(/^\n+/, '').trimEnd(),
      changes: await this.diff(parent, oid),
    };
  }

  async #filesAt(commit: CommitSha | null): Promise<FlatTree> {
    if (commit === null) return new Map();
    const { commit: found } = await this.#read(commit);
    return readFlatTree(this.#remote, found.tree);
  }

  async #reachable(from: CommitSha): Promise<Set<string>> {
    const seen = new Set<string>();
    const open: string[] = [from];
    for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
      if (seen.has(oid)) continue;
      seen.add(oid);
      open.push(...(await this.#read(oid)).commit.parent);
    }
    return seen;
  }

  async #apply(files: FlatTree, edits: Edits): Promise<void> {
    for (const [path, content] of edits) if (content === null) files.delete(path);
    for (const [path, content] of edits) {
      if (content === null) continue;
      const isBlocked = [...files.keys()].some(
        other => other.startsWith(`${path}/`) || path.startsWith(`${other}/`),
      );
      if (isBlocked)
        throw new SwitchbackError('E_GIT_FAILED', `${path} can not be both a file and a folder.`);
      const blob = typeof content === 'string' ? Buffer.from(content) : content;
      files.set(path, { mode: '100644', oid: await git.writeBlob({ ...this.#place, blob }) });
    }
  }

  async #write(tree: string, parent: CommitSha | null, parts: CommitParts): Promise<CommitSha> {
    const person = { name: parts.name, email: parts.email, timestamp: parts.seconds, timezoneOffset: 0 };
    const object = {
      message: parts.message,
      tree,
      parent: parent === null ? [] : [parent],
      author: person,
      committer: person,
    };
    return CommitSha.parse(await git.writeCommit({ ...this.#place, commit: object }));
  }

  async #mergedTree(ours: CommitSha, theirs: CommitSha, parts: CommitParts): Promise<string | null> {
    try {
      const author = { name: parts.name, email: parts.email, timestamp: 0, timezoneOffset: 0 };
      const merged = await git.merge({
        ...this.#place,
        ours,
        theirs,
        author,
        fastForward: false,
        noUpdateBranch: true,
        message: 'undo',
      });
      return merged.tree ?? (await this.#read(merged.oid ?? ours)).commit.tree;
    } catch (error) {
      if (
        error instanceof git.Errors.MergeConflictError ||
        error instanceof git.Errors.MergeNotSupportedError
      )
        return null;
      throw error;
    }
  }
}
