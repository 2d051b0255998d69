import type { Finding, IndicatorName, Instant } from '@switchback-ml/schemas';
import type { Analysis, ObjectiveState } from './analysis.ts';
import { isSurelyAbove, isSurelyBelow } from './binomial.ts';
import { BURN_CONFIDENCE, burnRate, isSharedBy } from './burn-rate.ts';
import { isRatioTolerable } from './ratio-limit.ts';
import { clause } from './reason.ts';
import { EVIDENCE_NEEDED, evidenceOf } from './sequential-test.ts';

/** Evidence that a sound candidate ever reaches with a probability of 5 %: not sure, but no time to advance. */
const SUSPICIOUS = 20;
const HEALTHY_CONFIDENCE = 0.95;

type Judged = Pick<Finding, 'verdict' | 'reason' | 'test'>;

/**
 * One objective. Degraded by the sequential test, which compares with stable, or else by the burn rate, which
 * compares with the target. Then healthy by whichever is settled first: the ratio's upper limit is tolerable; the
 * candidate's own bad share is surely within the objective; it has had its budget of attempts in peace.
 */
export function judge(
  objective: IndicatorName,
  state: ObjectiveState,
  analysis: Analysis,
  now: Instant,
): Finding {
  const settings = analysis.objectives[objective];
  if (settings === undefined) throw new TypeError(`judge: the analysis has no objective "${objective}"`);

  const hasControl = analysis.stable !== null && state.stable.total > 0;
  const words = { objective, objectives: analysis.objectives, hasControl };
  const said = clause({ ...words, ...state });
  const judged =
    judgeDegraded(said, state) ??
    judgeBurn(
      window => clause({ ...words, ...window, over: 'in the last 5 minutes' }),
      state,
      settings.target,
      now,
    ) ??
    judgeAdvance(said, state, analysis, settings);

  return {
    objective,
    ...judged,
    breach: settings.breach,
    candidate: state.candidate,
    stable: state.stable,
    ...(state.stable.total > 0 && { evidence: shownEvidence(state), needs: EVIDENCE_NEEDED }),
  };
}

function judgeDegraded(said: string, { peak }: ObjectiveState): Judged | null {
  return peak >= EVIDENCE_NEEDED ? { verdict: 'degraded', reason: said, test: 'sequential' } : null;
}

function judgeBurn(
  say: (window: Pick<ObjectiveState, 'candidate' | 'stable'>) => string,
  { slices }: ObjectiveState,
  target: number,
  now: Instant,
): Judged | null {
  const burn = burnRate(slices, target, now);
  if (burn.kind === 'calm') return null;
  const said = say(burn.shortWindow);
  return burn.kind === 'burning'
    ? { verdict: 'degraded', reason: said, test: 'burn-rate' }
    : { verdict: 'inconclusive', reason: `${said}: both are hit, so the cause is shared`, test: 'burn-rate' };
}

function judgeAdvance(
  said: string,
  state: ObjectiveState,
  { eventBudget }: Analysis,
  { target, breach }: { target: number; breach: Finding['breach'] },
): Judged {
  const test = state.stable.total > 0 ? 'sequential' : 'none';
  const undecided = (why: string): Judged => ({ verdict: 'inconclusive', reason: `${said}${why}`, test });
  const { candidate } = state;
  if (candidate.total === 0) return undecided('');

  // an objective that only pages or notifies holds up nothing
  if (breach === 'rollback' || breach === 'hold') {
    if (evidenceOf(state) >= SUSPICIOUS) return undecided(': suspicious, not sure yet');
    if (missesAlone(state, 1 - target)) return undecided(': misses its objective');
  }
  const isHealthy =
    isRatioTolerable(state.limitLogRatios) ||
    isSurelyBelow(candidate, 1 - target, HEALTHY_CONFIDENCE) ||
    candidate.total >= eventBudget;
  return isHealthy ? { verdict: 'healthy', reason: said, test } : undecided(': too few to tell');
}

/** The candidate surely allows itself more than the objective does, and not because stable does so too. */
function missesAlone(state: ObjectiveState, allowed: number): boolean {
  return isSurelyAbove(state.candidate, allowed, BURN_CONFIDENCE) && !isSharedBy(state);
}

function shownEvidence(state: ObjectiveState): number {
  const evidence = state.peak >= EVIDENCE_NEEDED ? state.peak : evidenceOf(state);
  return Number(evidence.toPrecision(3));
}
