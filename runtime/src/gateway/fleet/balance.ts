/** A runtime as the choice between several sees it. */
export interface Candidate {
  /** Requests that it has not answered. */
  readonly outstanding: number;
  /** How long its answers take to begin, smoothed; 0: not known. */
  readonly latencyMs: number;
  /** Whether it can be given a request for this model or version now; null: for no certain one. */
  takes(subject: string | null, now: number): boolean;
}

export interface Wanted<C> {
  subject: string | null;
  now: number;
  /** Not this one. */
  except: C | null;
}

/** Runtimes whose latencies differ by less are taken for equally fast. */
const MARKED = 2;

/**
 * Power of two choices: of two at random, the one that has less to do. Whoever looks at all of them and takes the
 * idlest sends everybody there at once; who looks at two comes nearly as close and does not (Mitzenmacher, 2001).
 * Null: none takes it. `random` is in [0, 1).
 */
export function choose<C extends Candidate>(
  candidates: readonly C[],
  wanted: Wanted<C>,
  random: () => number,
): C | null {
  const count = candidates.length;
  if (count === 0) return null;
  const first = Math.floor(random() * count);
  const one = candidates[first]!;
  if (count === 1) return canTake(one, wanted) ? one : null;
  const other = candidates[(first + 1 + Math.floor(random() * (count - 1))) % count]!;
  const oneTakes = canTake(one, wanted);
  if (canTake(other, wanted)) return oneTakes ? lighter(one, other) : other;
  return oneTakes ? one : lightest(candidates, wanted);
}

/** The one with fewer requests outstanding; of two with as many, the one that is much faster, else the first. */
export function lighter<C extends Candidate>(one: C, other: C): C {
  if (one.outstanding !== other.outstanding) return one.outstanding < other.outstanding ? one : other;
  return other.latencyMs > 0 && other.latencyMs * MARKED < one.latencyMs ? other : one;
}

function lightest<C extends Candidate>(candidates: readonly C[], wanted: Wanted<C>): C | null {
  let best: C | null = null;
  for (const candidate of candidates)
    if (canTake(candidate, wanted)) best = best === null ? candidate : lighter(best, candidate);
  return best;
}

function canTake<C extends Candidate>(candidate: C, { subject, now, except }: Wanted<C>): boolean {
  return candidate !== except && candidate.takes(subject, now);
}

const WEIGHT = 0.1;
/** A latency that was measured so long ago counts half: whoever was slow once is tried again. */
const HALF_LIFE_MS = 1000;

/** What is believed after another measurement, in milliseconds. */
export function smoothed(believedMs: number, measuredMs: number): number {
  return believedMs === 0 ? measuredMs : believedMs + WEIGHT * (measuredMs - believedMs);
}

/** What is still believed of a latency when nothing was heard for `ageMs`. */
export function faded(believedMs: number, ageMs: number): number {
  return believedMs * 0.5 ** (Math.max(0, ageMs) / HALF_LIFE_MS);
}
