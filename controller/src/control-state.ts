import type { CommitSha, Instant, Verdict, Wait } from '@switchback-ml/schemas';
import type { DesiredState } from './desired/desired-state.ts';
import type { LedgerView } from './ledger/ledger.ts';
import type { ToldMissing } from './missing-artifacts.ts';
import { OpenOperations } from './operation/open-operations.ts';
import { type DivergenceState, NO_DIVERGENCE } from './plan/divergence.ts';
import type { ToldReplacements } from './replaced-engines.ts';
import type { RolloutState, Served, Subject } from './rollout/rollout-state.ts';
import type { AnalysisState } from './verdict/analysis.ts';

/** What the controller remembers between cycles; all of it but verdicts and what is served stands in the ledger as well. */
export interface ControlState {
  rollouts: ReadonlyMap<Subject, RolloutState>;
  analyses: ReadonlyMap<Subject, AnalysisState>;
  /** Those that the ledger has, and since when. */
  savedAnalyses: ReadonlyMap<Subject, AnalysisState>;
  savedAt: Instant;
  /** Of the newest revision of each deployment. */
  verdicts: ReadonlyMap<Subject, Verdict>;
  /** By the words of runtimes until then. */
  served: Served;
  readonly open: OpenOperations;
  diverged: DivergenceState;
  toldReplacements: ToldReplacements;
  toldMissing: ToldMissing;
  /** The head of a rewritten history that was told of. */
  toldRewrite: CommitSha | null;
  /** What promotions wait for, by the deployment they would change. */
  promotionWaits: ReadonlyMap<Subject, Wait[]>;
  /** Of the head that the last cycle saw; null before the first. */
  desired: DesiredState | null;
  head: CommitSha | null;
}

export function controlState({ open, rollouts, analyses }: LedgerView): ControlState {
  return {
    // Written by ourselves in the same shape; the ledger refuses a file of another schema version.
    rollouts: rollouts as Map<Subject, RolloutState>,
    analyses: analyses as Map<Subject, AnalysisState>,
    savedAnalyses: analyses as Map<Subject, AnalysisState>,
    savedAt: 0,
    verdicts: new Map(),
    served: () => null,
    open: new OpenOperations(open),
    diverged: NO_DIVERGENCE,
    toldReplacements: new Map(),
    toldMissing: new Map(),
    toldRewrite: null,
    promotionWaits: new Map(),
    desired: null,
    head: null,
  };
}
