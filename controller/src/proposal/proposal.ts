import type { Instant, Verdict, Wait } from '@switchback-ml/schemas';
import type { DesiredState, RepositoryHistory } from '../desired/desired-state.ts';
import type { OpenRollback, RolloutState, Settled, Subject } from '../rollout/rollout-state.ts';
import type { Intent } from './intent.ts';
import { promotions } from './promotion.ts';
import { rollbacks } from './rollback.ts';

export interface ProposalInput {
  desired: DesiredState;
  history: RepositoryHistory;
  states: ReadonlyMap<Subject, RolloutState>;
  verdicts: ReadonlyMap<Subject, Verdict>;
  openRollbacks: readonly OpenRollback[];
  /** Transitions that git shall know. */
  settled: readonly Settled[];
  now: Instant;
}

export interface Proposed {
  /** Safe direction first. */
  intents: readonly Intent[];
  /** What promotions wait for, by the deployment they would change. */
  waits: ReadonlyMap<Subject, Wait[]>;
}

/** Verdicts and policy as changes of git: rollbacks, records of what settled, promotions. */
export function propose(input: ProposalInput): Proposed {
  const requests = new Map([...input.verdicts].map(([subject, verdict]) => [subject, verdict.requests]));
  const { ready, waits } = promotions({ ...input, requests });
  const records = input.settled.map(settled => ({ kind: 'record' as const, settled }));
  return { intents: [...rollbacks(input), ...records, ...ready], waits };
}
