import type {
  CommitSha,
  EnvironmentName,
  Instant,
  ModelName,
  NewEvent,
  OperationId,
  RevisionId,
  Verdict,
  VersionDigest,
  VersionLabel,
} from '@switchback-ml/schemas';
import type { RevisionSpec } from '../desired/desired-state.ts';

/** `prod/screening`: how a deployment is named everywhere. */
export type Subject = string;
export const subjectOf = (environment: EnvironmentName, model: ModelName): Subject =>
  `${environment}/${model}`;

export const REMEMBERED_BAKES = 10;

/**
 * What the runtimes of an environment answer a model's requests from, revision → weight. Empty: none answers for it.
 * Null: no runtime of it was heard.
 */
export type Served = (
  environment: EnvironmentName,
  model: ModelName,
) => ReadonlyMap<RevisionId, number> | null;

/** One deployment's rollout as the ledger keeps it. Everything else is derived. */
export interface RolloutState {
  environment: EnvironmentName;
  model: ModelName;
  /**
   * What gets the traffic back, and what a candidate is compared with: last good, or where nothing has baked yet, what
   * had all the traffic when the candidate came. Null on a first release that has not baked.
   */
  stable: RevisionSpec | null;
  /** Being judged; null when nothing is under way. */
  candidate: Candidate | null;
  /** When the newest revision (candidate, else stable) entered the deployment. */
  since: Instant;
  paused: { by: string; reason: string; since: Instant } | null;
  /** A first release that is bad and has nothing to go back to: served on, nothing promoted, a person called. */
  halted: { reason: string; since: Instant } | null;
  /** Revisions that were last good here, oldest first, the last `REMEMBERED_BAKES`. */
  baked: readonly Baked[];
}

export interface Candidate {
  revision: RevisionSpec;
  /** canary: beside stable. baking: has all the traffic, is still watched. undecided: past its deadline. */
  phase: 'canary' | 'baking' | 'undecided';
  /** Index into the steps while in canary. */
  step: number;
  stepSince: Instant;
  /** Candidate requests when the step began. */
  stepRequests: number;
  since: Instant;
  commit: CommitSha;
  /** Steps behind it, for the record. */
  trail: readonly { weight: number; at: Instant; requests: number }[];
}

export interface Baked {
  id: RevisionId;
  digest: VersionDigest;
  version: VersionLabel;
  at: Instant;
}

/** A rollback that has been remembered and is not finished: while it is open, `to` is the target. */
export interface OpenRollback {
  operation: OperationId;
  subject: Subject;
  from: RevisionSpec;
  to: RevisionSpec;
}

/** A transition that git shall know: one commit on the history ref. */
export interface Settled {
  subject: Subject;
  outcome: 'baked' | 'rolled-back' | 'superseded' | 'undecided';
  revision: RevisionSpec;
  /** What serves after it. */
  stable: RevisionSpec | null;
  commit: CommitSha;
  startedAt: Instant;
  at: Instant;
  trail: Candidate['trail'];
  verdict: Verdict | null;
}

/** What one step of one deployment leads to. */
export interface Stepped {
  state: RolloutState;
  events: NewEvent[];
  settled: Settled[];
  /** When to look again even if nothing happens; Infinity: nothing is due. */
  wakeAt: Instant;
}
