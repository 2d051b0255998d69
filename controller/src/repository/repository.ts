import type { ArtifactDigest, BlobId, CommitSha, Instant } from '@switchback-ml/schemas';

/** What stands at a branch of the remote. `empty`: the repository is there, the branch is not. */
export type Head = { kind: 'commit'; commit: CommitSha } | { kind: 'empty' };

/** One file that differs between two commits; `blob` is null when it is gone in the newer one. */
export interface Change {
  path: string;
  blob: BlobId | null;
  /** Git's mode: `100644`, `100755` are files; `120000` a symbolic link; `160000` a submodule. */
  mode: string;
}

/** One commit of the first-parent line, with what it changed against its first parent. */
export interface HistoryEntry {
  commit: CommitSha;
  parent: CommitSha | null;
  at: Instant;
  author: string;
  subject: string;
  /** Body without the subject, trailers included. */
  body: string;
  changes: readonly Change[];
}

/**
 * Commits in. Reads only what a caller names, by object id; never checks out, runs no hook or filter, follows no
 * submodule. Throws SwitchbackError: E_GIT_UNREACHABLE (try again later), E_GIT_OBJECT and E_GIT_TOO_LARGE (what the
 * remote holds is refused), E_GIT_DAMAGED (our own copy is; the next fetch replaces it), E_GIT_REMOTE_URL, E_GIT_REF,
 * E_GIT_FAILED.
 */
export interface CommitSource {
  /**
   * Asks the remote where `ref` stands and fetches what is missing. Waits for the network, up to the signal; two
   * callers for one ref wait for each other, those for different refs do not.
   */
  fetch(ref: string, signal: AbortSignal): Promise<Head>;
  /** Files that differ, whole tree when `from` is null. Unordered. */
  diff(from: CommitSha | null, to: CommitSha, signal: AbortSignal): Promise<Change[]>;
  /** First-parent commits after `from` (from the root when null) up to and with `to`, oldest first. */
  history(from: CommitSha | null, to: CommitSha, signal: AbortSignal): Promise<HistoryEntry[]>;
  /** Whether `ancestor` is `descendant` or reachable from it by any parents. Unknown commits: false. */
  isAncestor(ancestor: CommitSha, descendant: CommitSha, signal: AbortSignal): Promise<boolean>;
  /** A blob's bytes, or its size alone when it is larger than `limitBytes`. */
  readBlob(blob: BlobId, limitBytes: number, signal: AbortSignal): Promise<BlobContent>;
}

export type BlobContent = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'too-large'; sizeBytes: number };

/** What one commit does to the tree: new content, or null for removal. */
export type Edits = ReadonlyMap<string, string | Uint8Array | null>;

export interface NewCommit {
  /** Null makes a root commit, as on the history ref. */
  parent: CommitSha | null;
  edits: Edits;
  message: string;
  author: { name: string; email: string };
  at: Instant;
}

/**
 * `pushed`: the ref holds the commit, now or before somebody built on it. `moved`: it is elsewhere, re-plan from
 * there. `refused`: the remote said no, in its own words, bounded and printable.
 */
export type PushOutcome = { kind: 'pushed' } | { kind: 'moved' } | { kind: 'refused'; reason: string };

/** Commits out. */
export interface CommitSink {
  /** Builds a commit in the object database alone. Equal input gives the equal id, so a repeat is harmless. */
  commit(commit: NewCommit, signal: AbortSignal): Promise<CommitSha>;
  /** The tree of a clean three-way revert of `commit` on `head`, as edits to `head`; null where it conflicts. */
  revert(commit: CommitSha, head: CommitSha, signal: AbortSignal): Promise<Edits | null>;
  /** Compare-and-swap: `ref` goes from `expected` (null: must not exist) to `next`, or stays. Never forces. */
  push(ref: string, expected: CommitSha | null, next: CommitSha, signal: AbortSignal): Promise<PushOutcome>;
}

/** What earlier fetches left here, for as long as the remote is away. */
export interface CommitMemory {
  /** Where `ref` stood at the last fetch, an earlier process's too. Asks nobody but the clone. */
  recall(ref: string, signal: AbortSignal): Promise<Head>;
}

export type Repository = CommitSource & CommitMemory & CommitSink & AsyncDisposable;

/** Large files by digest, from wherever the remote keeps them. */
export interface ArtifactSource {
  /** Streams one object into `write`; the caller verifies digest and size. Throws E_LFS_UNREACHABLE or E_LFS_OBJECT. */
  download(
    object: LfsObject,
    write: (chunk: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface ArtifactSink {
  /** Uploads those objects that the remote does not have yet. */
  upload(objects: readonly (LfsObject & { file: string })[], signal: AbortSignal): Promise<void>;
}

export interface LfsObject {
  digest: ArtifactDigest;
  sizeBytes: number;
}
