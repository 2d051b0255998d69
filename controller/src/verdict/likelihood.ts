import type { Pair } from './analysis.ts';

/** A candidate may be this much worse than stable: bad events per request, candidate over stable. */
export const TOLERATED_RATIO = 1.25;

/**
 * Log-likelihood ratio of "the candidate's rate of bad events is `ratio` times stable's" against "it is
 * `TOLERATED_RATIO` times", in one block of requests that both sides answered in.
 *
 * With s the candidate's share of the block's requests, a bad event is the candidate's with probability
 * theta(r) = s r / (s r + 1 − s). The ratio is
 *
 *   x_c ln(theta(r) / theta(t)) + x_b ln((1 − theta(r)) / (1 − theta(t)))
 *
 * for x_c and x_b bad events of candidate and stable; below, with requests n_c and n_b, what both terms share is
 * taken out. See Lindon, Sanden, Shirikian, "Rapid Regression Detection in Software Deployments through
 * Sequential Testing", KDD 2022, arXiv 2205.14762.
 *
 * Why its exponential is an e-variable, also when bad events are frequent and when rates and shares change from
 * block to block: with a = theta(r)/theta(t) and b = (1−theta(r))/(1−theta(t)), its mean over independent requests
 * is at most exp(n_c p_c (a−1) + n_b p_b (b−1)), and n_c t (a−1) + n_b (b−1) = 0. For r > t, a > 1, so the
 * mean is at most 1 wherever p_c ≤ t p_b; for r < t, wherever p_c ≥ t p_b. Nothing is assumed of p_b.
 */
export function rateLogRatio(ratio: number, { candidate, stable }: Pair): number {
  const shared = Math.log(
    (TOLERATED_RATIO * candidate.total + stable.total) / (ratio * candidate.total + stable.total),
  );
  return candidate.bad * Math.log(ratio / TOLERATED_RATIO) + (candidate.bad + stable.bad) * shared;
}

/**
 * The same for bad shares that are not small, where the above loses power because it looks at bad events alone:
 * the candidate's odds of a bad answer are `odds` times stable's, whose share is thought to be `baseline`. Two
 * binomials against the closest pair of binomials that is tolerated.
 *
 * An e-variable for any `baseline` that was fixed before the block was looked at: the logarithm of its mean is
 * concave in (p_c, p_b), zero at (t b0, b0), and its slope there, n_c α (1, −t) with α > 0, points out of the
 * tolerated half plane p_c ≤ t p_b. That slope is the equation `closestTolerated` solves. See Turner, Ly, Grünwald,
 * "Generic E-variables for exact sequential k-sample tests", arXiv 2106.02693.
 */
export function oddsLogRatio(odds: number, baseline: number, block: Pair): number {
  const claimed = (odds * baseline) / (1 - baseline + odds * baseline);
  if (claimed <= TOLERATED_RATIO * baseline) return 0;

  const { candidate, stable } = block;
  const tolerated = closestTolerated(claimed, baseline, block);
  return (
    bernoulliLogRatio(candidate, claimed, TOLERATED_RATIO * tolerated) +
    bernoulliLogRatio(stable, baseline, tolerated)
  );
}

/**
 * The b0 in (p_b, p_c/t) with n_b (p_b − b0)(1 − t b0) + n_c (p_c − t b0)(1 − b0) = 0: the smaller root of a
 * quadratic, written so that nothing cancels.
 */
function closestTolerated(claimed: number, baseline: number, { candidate, stable }: Pair): number {
  const requests = candidate.total + stable.total;
  const share = candidate.total / requests;
  const squared = TOLERATED_RATIO;
  const linear = (1 - share) * (1 + TOLERATED_RATIO * baseline) + share * (TOLERATED_RATIO + claimed);
  const constant = (1 - share) * baseline + share * claimed;
  return (2 * constant) / (linear + Math.sqrt(Math.max(0, linear * linear - 4 * squared * constant)));
}

function bernoulliLogRatio({ bad, total }: Pair['stable'], p: number, q: number): number {
  return bad * Math.log(p / q) + (total - bad) * Math.log((1 - p) / (1 - q));
}
