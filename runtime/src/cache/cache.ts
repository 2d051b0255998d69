import type { CachePolicy } from '@switchback-ml/schemas';
import type { Worth } from './worth.ts';

/** A finished answer as it goes over the wire. Nobody writes to it once it was handed over: many callers get it. */
export interface CachedReply {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Everything that an answer depends on. Two requests with equal keys have the same answer. */
export interface ReplyKey {
  model: string;
  revision: string;
  /** Of the version, whole: a revision's own name holds only the beginning of it. */
  digest: string;
  /** The protocol and whatever else shapes the answer: binary or not, compressed how. Few different ones. */
  encoding: string;
  /** The request's body as it came, not yet parsed. */
  body: Uint8Array;
}

/** memory and redis: remembered. shared: made for an equal request that was under way. made: by the caller's own. */
export type ReplySource = 'memory' | 'redis' | 'shared' | 'made';

export interface Found {
  readonly reply: CachedReply;
  readonly from: ReplySource;
}

/**
 * Makes the answer. Null: answered otherwise, so nothing is remembered and nothing shared. That must be said of
 * whatever a later request shall not be told as well: an error, a declared default answer, an output that is not
 * finite; the cache can't tell them from others.
 */
export type MakeReply = () => Promise<CachedReply | null>;

/** Remembers finished answers to requests by their bytes, before anybody has parsed them. */
export interface ReplyCache extends AsyncDisposable {
  /**
   * The remembered answer, at once where this process has it; else that of `make`. Equal keys that ask meanwhile
   * wait for that one; `flight.ts` says for how long, and what becomes of them when it fails. Rejects only as `make`
   * does.
   */
  through(key: ReplyKey, policy: CachePolicy, make: MakeReply): Found | Promise<Found | null>;
  /** The revision was unloaded: forget its answers. */
  drop(model: string, revision: string): void;
  describe(): CacheReport;
}

/** Cumulative as long as the model has a revision here. */
export interface ModelCounts {
  memoryHits: number;
  farHits: number;
  shared: number;
  /** Answers that had to be made, `notKept` among them. */
  misses: number;
  /** Of the misses, those that were answered otherwise. */
  notKept: number;
  /** Larger than an eighth of the budget. */
  tooLarge: number;
  /** Forgotten for want of room. */
  evicted: number;
  expired: number;
}

export interface RevisionReport {
  revision: string;
  bytes: number;
  entries: number;
  /** What making an answer takes, waiting included; null while none was made. */
  costMs: number | null;
  /** Null without a second level. */
  far: { isAsked: boolean; why: Worth; reason: string } | null;
}

/** Of all models since the start, also of those that have gone. */
export type Forgotten = Pick<ModelCounts, 'tooLarge' | 'evicted' | 'expired'>;

export interface CacheReport {
  bytes: number;
  budgetBytes: number;
  entries: number;
  forgotten: Forgotten;
  models: ({ model: string; revisions: RevisionReport[] } & ModelCounts)[];
  far: (FarReport & { roundTripMs: number | null }) | null;
}

/** What was found in the second level and was no entry of ours. */
export type EntryFlaw = 'malformed' | 'too-large' | 'foreign' | 'forged' | 'expired';

/** How the second level is, and what it was good for. */
export interface FarReport {
  /** closed: it is used. open: it rests. probing: it is being tried, and nobody waits for that. */
  reading: 'closed' | 'open' | 'probing';
  writing: 'closed' | 'open' | 'probing';
  /** One clause for a person; null as long as nothing failed. */
  lastFailure: string | null;
  found: number;
  absent: number;
  failed: number;
  /** It rests, or has too much to answer already. */
  notAsked: number;
  written: number;
  /** Waiting or under way. */
  writes: number;
  /** Not written: too many were waiting, it rests, or the entry is too large. */
  notWritten: number;
  refused: Record<EntryFlaw, number>;
}
