/** The middle value; the mean of the two middle ones of an even number. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** The least of the values that so large a share of them does not exceed: of few, 0.95 is the largest. NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/**
 * How much more of the one than of the other: the middle of the ratios of rounds in which both were measured one right
 * after the other, so that what slows the whole machine for a while slows both. Throws where rounds do not pair up.
 */
export function medianOfRatios(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length)
    throw new Error(`${ours.length} rounds of one and ${theirs.length} of the other`);
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}
