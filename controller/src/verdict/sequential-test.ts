import type { BadOfTotal, ObjectiveState, Pair } from './analysis.ts';
import { oddsLogRatio, rateLogRatio } from './likelihood.ts';

/**
 * Evidence at which the candidate is degraded. Under "no worse than tolerated" evidence is an e-process: its mean
 * never exceeds 1 at any stopping time, so it ever reaches 100 with a probability of at most 1 % (Ville), however
 * often it is looked at.
 */
export const EVIDENCE_NEEDED = 100;

/** How much worse a degraded candidate may be; what is in between is found by its neighbours. */
const RATES = [1.5, 2, 3, 5, 10, 20, 50];
const ODDS = [1.5, 3, 10];

/** Half is staked at once, the rest from minute to minute: what is left in minute m is 1 / (2 m). */
const STAKED_AT_ONCE = 0.5;
/** Enough for every purpose, and keeps the state finite. */
const LARGEST_EVIDENCE = 1e9;

type Evidence = Pick<ObjectiveState, 'logRatios' | 'reserve' | 'peak'>;

export function noEvidence(): Evidence {
  const alternatives = RATES.length + ODDS.length;
  return {
    logRatios: Array(alternatives).fill(Math.log(STAKED_AT_ONCE)),
    reserve: 1 - STAKED_AT_ONCE,
    peak: 1,
  };
}

/**
 * One more block of requests, answered by both sides within the same stretch of time. Evidence is the mean over
 * the alternatives, each multiplied by its likelihood ratio; a mean of e-processes is one.
 *
 * An alternative that a long good time has refuted would need as long a bad time to recover. So each alternative
 * is itself a mixture over the minute from which on it holds: new weight flows in from the reserve before the
 * block is weighed. Weights add up to 1, so that is an e-process too, and a candidate that turns bad in minute m
 * costs ln(2 m²) of evidence instead of all that was lost before.
 *
 * `past` is stable's count before this block, `minute` the running minute of the analysis, from 1.
 */
export function weigh(evidence: Evidence, block: Pair, past: BadOfTotal, minute: number): Evidence {
  const reserve = Math.min(evidence.reserve, (1 - STAKED_AT_ONCE) / minute);
  const inflow = Math.log(evidence.reserve - reserve);
  const baseline = (past.bad + 0.5) / (past.total + 1);
  const steps = [
    ...RATES.map(ratio => rateLogRatio(ratio, block)),
    ...ODDS.map(odds => oddsLogRatio(odds, baseline, block)),
  ];

  const logRatios = steps.map((step, i) => logOfSum(evidence.logRatios[i]!, inflow) + step);
  const next = { logRatios, reserve, peak: evidence.peak };
  return { ...next, peak: Math.max(evidence.peak, evidenceOf(next)) };
}

/** The evidence as it stands, at most `LARGEST_EVIDENCE`. */
export function evidenceOf({ logRatios, reserve }: Pick<Evidence, 'logRatios' | 'reserve'>): number {
  return Math.min(LARGEST_EVIDENCE, reserve + Math.exp(logOfMean(logRatios)));
}

/** ln(mean(exp)), without overflow. */
export function logOfMean(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  const sum = logs.reduce((total, log) => total + Math.exp(log - largest), 0);
  return largest + Math.log(sum / logs.length);
}

/** ln(exp(a) + exp(b)); b may be minus infinity. */
function logOfSum(a: number, b: number): number {
  const largest = Math.max(a, b);
  return largest + Math.log1p(Math.exp(Math.min(a, b) - largest));
}
