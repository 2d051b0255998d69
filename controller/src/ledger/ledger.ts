import type { Event, EventType, Instant, NewEvent, OperationId } from '@switchback-ml/schemas';

/** Operations as the ledger keeps them; what is inside `intent` is the operation's own business. */
export interface OperationRecord {
  id: OperationId;
  kind: 'rollback' | 'promotion' | 'record';
  /** `prod/screening` */
  subject: string;
  state: OperationState;
  intent: unknown;
  /** What was learnt on the way: commit sha, refusal, attempts. */
  result: unknown;
  createdAt: Instant;
  updatedAt: Instant;
}

/** intended → moved → pushed → done, or an end on the way. Terminal: done, superseded, withheld. */
export type OperationState = 'intended' | 'moved' | 'pushed' | 'done' | 'superseded' | 'refused' | 'withheld';

/** The single holder of a repository's controller. Higher epochs fence lower ones. */
export interface Lease {
  holder: string;
  epoch: number;
  /** By the clock of whoever asked, as all that is told of time: the ledger may run by another one. */
  until: Instant;
}

export type Acquired = { kind: 'acquired'; lease: Lease } | { kind: 'held'; by: Lease };

/**
 * One step of the world, all or nothing. Each part is optional; what is given is written in one transaction that
 * first checks the epoch.
 */
export interface Advance {
  epoch: number;
  at: Instant;
  /** `from: null` inserts; else the state must still be `from`. */
  operations?: readonly { record: OperationRecord; from: OperationState | null }[];
  /** Keyed by subject; null removes. */
  rollouts?: ReadonlyMap<string, unknown>;
  /** Keyed by subject; null removes. */
  analyses?: ReadonlyMap<string, unknown>;
  events?: readonly NewEvent[];
}

/**
 * `fenced`: another holder has a higher epoch, or an earlier step of this one was written although it was said to have
 * failed; stop, and begin again from what the ledger says. `conflict`: an operation was not in the state named.
 */
export type Advanced =
  | { kind: 'advanced'; events: Event[] }
  | { kind: 'fenced' }
  | { kind: 'conflict'; operation: OperationId };

export interface LedgerView {
  /** Those not in a terminal state, oldest first. */
  open: OperationRecord[];
  rollouts: Map<string, unknown>;
  analyses: Map<string, unknown>;
}

export interface EventQuery {
  /** Only events with a higher seq. */
  after?: number;
  subject?: string;
  types?: readonly EventType[];
  limit: number;
}

/**
 * Append-only history with its projections. Verbs of the domain, never transactions. Adapters hold nothing in
 * memory that is not durable when the promise resolves. Throws SwitchbackError E_LEDGER.
 *
 * `now` is the caller's clock just before it asks. Whether a lease has run out is decided by one clock for all: the
 * caller's where all are on one machine, the server's where they are not.
 */
export interface Ledger extends AsyncDisposable {
  /** Takes the lease when it is free, expired or ours; taking it from another raises the epoch. */
  acquire(holder: string, ttlMs: number, now: Instant): Promise<Acquired>;
  /** Extends a lease that we hold, same epoch; `held` when somebody else took it. */
  renew(lease: Lease, ttlMs: number, now: Instant): Promise<Acquired>;
  release(lease: Lease): Promise<void>;
  /** Once, however often the adapter has to try. Where it throws and was written all the same, the epoch is fenced. */
  advance(step: Advance): Promise<Advanced>;
  read(): Promise<LedgerView>;
  /** One operation by id, also an ended one. */
  operation(id: OperationId): Promise<OperationRecord | null>;
  /** Operations of a subject that were created at or after `since`, newest first, ended ones too. */
  recentOperations(subject: string, since: Instant): Promise<OperationRecord[]>;
  events(query: EventQuery): Promise<Event[]>;
  /**
   * Forgets events older than `before`, from the beginning on, so that what is kept has no gap; the newest one
   * always stays. How many went; 0 for whoever is fenced.
   */
  forgetEvents(epoch: number, before: Instant): Promise<number>;
}
