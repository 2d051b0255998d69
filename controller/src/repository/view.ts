import type { CommitSha, Instant, Problem } from '@switchback-ml/schemas';
import type { RepositoryFile, RepositoryHistory } from '../desired/desired-state.ts';
import type { HistoryEntry } from './repository.ts';

/** The repository as last seen. What the poller publishes and everybody computes on. */
export interface RepositoryView {
  /** Null: the branch does not exist yet. */
  head: CommitSha | null;
  /** Subject of the head commit. */
  subject: string | null;
  /** When this head was first seen. */
  at: Instant;
  files: ReadonlyMap<string, RepositoryFile>;
  history: RepositoryHistory;
  /** What the repository's own settings ask for and do not get. */
  problems?: readonly Problem[];
  /** First-parent entries of the history ref, oldest first. */
  records: readonly HistoryEntry[];
  /** The head before, when this one's first-parent line goes past it: it came in by a merge's other side. */
  turnedFrom?: CommitSha;
}

/** What was seen before is no longer part of a ref. Nothing goes on until it is restored or `after` is accepted. */
export interface Rewrite {
  ref: string;
  before: CommitSha;
  after: CommitSha;
}

/** Why the remote, or what it holds, can't be taken now. */
export interface RemoteFailure {
  code: string;
  message: string;
  /** When it began; the code may have changed since. */
  since?: Instant;
  /** A rewrite that nobody has accepted yet, also while the remote is away. */
  rewritten?: Rewrite;
}

/** The reading half as the rest of the controller sees it. */
export interface RepositoryWatch {
  /** Null before the first successful look. */
  latest(): RepositoryView | null;
  /** When the remote last answered, and why it does not now. */
  contact(): { reachedAt: Instant | null; failure: RemoteFailure | null };
  /** A hint that something may have changed; coalesced. */
  nudge(): void;
  /**
   * A person's word that a rewritten history is meant: goes on from `head`, if that is exactly where a rewritten ref
   * was seen; `not-there` otherwise, and nothing changes. Takes effect with the next look, which is made at once.
   */
  acceptRewrite(head: CommitSha): 'accepted' | 'not-there';
  onChange(listener: () => void): void;
}
