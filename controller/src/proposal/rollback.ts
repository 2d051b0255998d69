import type { Instant, Verdict } from '@switchback-ml/schemas';
import type { DesiredState } from '../desired/desired-state.ts';
import type { OpenRollback, RolloutState, Subject } from '../rollout/rollout-state.ts';
import type { RollbackIntent } from './intent.ts';

export interface RollbackInput {
  desired: DesiredState;
  states: ReadonlyMap<Subject, RolloutState>;
  verdicts: ReadonlyMap<Subject, Verdict>;
  openRollbacks: readonly OpenRollback[];
  now: Instant;
}

/** Rollbacks that verdicts ask for: a candidate found bad that has a last good beside it. */
export function rollbacks({ states, verdicts, openRollbacks }: RollbackInput): RollbackIntent[] {
  const intents: RollbackIntent[] = [];
  for (const [subject, state] of states) {
    if (openRollbacks.some(open => open.subject === subject)) continue;
    const reason = reasonToRollBack(state, verdicts.get(subject) ?? null);
    if (!reason || !state.candidate || !state.stable) continue;
    intents.push({
      kind: 'rollback',
      environment: state.environment,
      model: state.model,
      from: state.candidate.revision,
      to: state.stable,
      cause: state.candidate.commit,
      reason,
      evidence: evidenceOf(verdicts.get(subject) ?? null),
      by: 'controller',
    });
  }
  return intents;
}

function reasonToRollBack({ candidate, stable }: RolloutState, verdict: Verdict | null): string | null {
  if (!candidate || !stable) return null;
  if (verdict?.verdict === 'degraded' && verdict.breach === 'rollback') return verdict.reason;
  const { undecided } = candidate.revision.settings.rollout;
  return candidate.phase === 'undecided' && undecided.then === 'rollback'
    ? 'undecided at its deadline'
    : null;
}

/** The counts that decided, as the hold file carries them. */
export function evidenceOf(verdict: Verdict | null): Record<string, string | number> {
  const degraded = verdict?.findings.filter(({ verdict: found }) => found === 'degraded') ?? [];
  const decided = degraded.find(({ breach }) => breach === verdict?.breach) ?? degraded[0];
  if (!decided) return {};
  const { objective, test, candidate, stable, evidence, needs } = decided;
  return {
    objective,
    test,
    candidateBad: candidate.bad,
    candidateTotal: candidate.total,
    stableBad: stable.bad,
    stableTotal: stable.total,
    ...(evidence === undefined ? {} : { evidence: Number(evidence.toPrecision(4)) }),
    ...(needs === undefined ? {} : { needs }),
  };
}
