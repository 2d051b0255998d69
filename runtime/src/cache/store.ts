import type { CachePolicy } from '@switchback-ml/schemas';
import type { CachedReply, EntryFlaw, FarReport, ModelCounts } from './cache.ts';

/** What a shelf holds answers of. */
export interface ShelfLabel {
  model: string;
  revision: string;
  digest: string;
}

export type Lookup =
  /** `until`: as the clock's `elapsed()`, in ms. */
  | { readonly kind: 'known'; readonly reply: CachedReply; readonly until: number }
  | { readonly kind: 'absent' }
  /** Something is there that this process did not write, or not like this. */
  | { readonly kind: 'refused'; readonly flaw: EntryFlaw }
  /** The store can't say. */
  | { readonly kind: 'failed'; readonly reason: string };

export type Known = Extract<Lookup, { kind: 'known' }>;
export type Absent = Extract<Lookup, { kind: 'absent' }>;

export const ABSENT: Absent = Object.freeze({ kind: 'absent' });

/** The answers of one revision, by names that stand for encoding and body. */
export interface Shelf {
  /** Never throws or rejects, and has a bound of its own. */
  find(name: string): Lookup | Promise<Lookup>;
  /** May keep nothing. Never throws; what takes time happens later. */
  keep(name: string, reply: CachedReply, until: number): void;
}

/** What a shelf counts for its model, whose counts outlive it. */
export type ShelfCounts = Pick<ModelCounts, 'tooLarge' | 'evicted' | 'expired'>;

/** Where answers are kept. A shelf is made once for each revision, so that a lookup has nothing left to prepare. */
export interface ReplyStore extends AsyncDisposable {
  shelf(label: ShelfLabel, policy: CachePolicy, counts: ShelfCounts): Shelf;
}

/** In this process. */
export interface NearStore extends ReplyStore {
  shelf(label: ShelfLabel, policy: CachePolicy, counts: ShelfCounts): NearShelf;
  describe(): { bytes: number; budgetBytes: number; entries: number };
}

export interface NearShelf extends Shelf {
  find(name: string): (Known & { readonly from: 'memory' }) | Absent;
  /** Forgets all, and keeps nothing from now on. */
  close(): void;
  describe(): { bytes: number; entries: number };
}

/** Shared with other processes, behind a wire. */
export interface FarStore extends ReplyStore {
  describe(): FarReport;
}
