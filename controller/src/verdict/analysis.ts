import type {
  IndicatorName,
  InstanceId,
  Instant,
  Loaded,
  Objectives,
  RevisionId,
  Tally,
} from '@switchback-ml/schemas';

/** What is judged: one candidate in one deployment, against the stable revision beside it, if there is one. */
export interface Analysis {
  candidate: RevisionId;
  /** Concurrent control; null on a first release and once the candidate has all the traffic. */
  stable: RevisionId | null;
  objectives: Objectives;
  /** When the candidate was put into the deployment. */
  startedAt: Instant;
  /** Attempts after which an undisturbed candidate counts as healthy although the ratio's limit is still wide. */
  eventBudget: number;
}

/** Cumulative counts of one revision by one instance, as heard. */
export interface InstanceCounts {
  instanceId: InstanceId;
  startedAt: Instant;
  heardAt: Instant;
  revision: RevisionId;
  attempts: number;
  indicators: Partial<Record<IndicatorName, Tally>>;
}

/** What instances say of having the candidate loaded. */
export interface Attest {
  instanceId: InstanceId;
  heardAt: Instant;
  loaded: Loaded;
}

export interface BadOfTotal {
  bad: number;
  total: number;
}

/** The same stretch of time seen on both sides: what candidate and stable did next to each other. */
export interface Pair {
  candidate: BadOfTotal;
  stable: BadOfTotal;
}

/**
 * All that the tests remember; plain JSON, kept in the ledger, so that a restarted controller goes on exactly
 * where it was and counts nothing twice.
 */
export interface AnalysisState {
  candidate: RevisionId;
  startedAt: Instant;
  /** Last cumulative count seen by `instance/revision/indicator`, or `…/attempts`. */
  seen: Record<string, BadOfTotal>;
  /** Candidate attempts since the analysis began. */
  requests: number;
  objectives: Partial<Record<IndicatorName, ObjectiveState>>;
}

/** Counts are since the analysis began. */
export interface ObjectiveState extends Pair {
  /** Weight of each alternative of the sequential test, as a logarithm, in the order of its table. */
  logRatios: number[];
  /** Weight of the sequential test not staked yet, for a candidate that turns bad later. */
  reserve: number;
  /** The largest evidence ever reached: an e-process may stop at any look, so reaching it once is enough. */
  peak: number;
  /** The same as `logRatios` for the opposite claim: that the candidate is no worse than tolerated. */
  limitLogRatios: number[];
  /** What waits for its other side before it can be compared. */
  pending: PendingBlock | null;
  /** Both sides by time slice, for burn rates over a window; oldest first, bounded. */
  slices: Slice[];
}

export interface PendingBlock extends Pair {
  since: Instant;
}

export interface Slice extends Pair {
  from: Instant;
}
