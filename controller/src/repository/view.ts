import type { CommitSha, Instant } from '@switchback-ml/schemas';
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
  /** First-parent entries of the history ref, oldest first. */
  records: readonly HistoryEntry[];
}

/** The reading half as the rest of the controller sees it. */
export interface RepositoryWatch {
  /** Null before the first successful look. */
  latest(): RepositoryView | null;
  /** When the remote last answered, and why it does not now. */
  contact(): { reachedAt: Instant | null; failure: { code: string; message: string } | null };
  /** A hint that something may have changed; coalesced. */
  nudge(): void;
  onChange(listener: () => void): void;
}
