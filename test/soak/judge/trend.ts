/** One value of one thing, at a time in milliseconds. */
export interface Sample {
  atMs: number;
  value: number;
}

export interface TrendRule {
  /** Of a shorter life nothing is said: caches and compiled code fill up at first. */
  shortestMs: number;
  /** How far the value may rise: by this much, or by this share of what it was, whichever is more. */
  rise: number;
  riseRatio: number;
}

export type Trend =
  | { kind: 'too short'; lifeMs: number }
  | {
      kind: 'judged';
      lifeMs: number;
      /** Median of the second quarter of the life, and of the last one. The first is for warming up. */
      before: number;
      after: number;
      allowedRise: number;
      /** By least squares over the last three quarters, with its standard error. */
      perHour: number;
      perHourError: number;
      isRising: boolean;
    };

const HOUR_MS = 3_600_000;
/** Fewer say nothing of a slope. */
const FEWEST = 8;
/** What is left when all that may go has gone: a collector that rests for long moves medians, but not this. */
const FLOOR = 0.1;
/** A slope within so many standard errors of 0 may be none. */
const SURE = 2;

/** Whether a value grows for as long as its process lives. */
export function judgeTrend(samples: readonly Sample[], rule: TrendRule): Trend {
  const from = samples[0]?.atMs ?? 0;
  const lifeMs = (samples.at(-1)?.atMs ?? 0) - from;
  if (lifeMs < rule.shortestMs || samples.length < FEWEST) return { kind: 'too short', lifeMs };
  const quarter = (index: number): number[] =>
    samples
      .filter(({ atMs }) => Math.min(3, Math.floor((4 * (atMs - from)) / lifeMs)) === index)
      .map(({ value }) => value);
  const [second, last] = [quarter(1), quarter(3)];
  if (second.length === 0 || last.length === 0) return { kind: 'too short', lifeMs };
  const before = median(second);
  const after = median(last);
  const allowedRise = Math.max(rule.rise, before * rule.riseRatio);
  const { slope, error } = leastSquares(samples.filter(({ atMs }) => 4 * (atMs - from) >= lifeMs));
  return {
    kind: 'judged',
    lifeMs,
    before,
    after,
    allowedRise,
    perHour: slope * HOUR_MS,
    perHourError: error * HOUR_MS,
    isRising:
      after - before > allowedRise &&
      quantile(last, FLOOR) - quantile(second, FLOOR) > allowedRise &&
      slope > SURE * error,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN;
}

/** Of the straight line through the samples: value per millisecond, and the standard error of that. */
export function leastSquares(samples: readonly Sample[]): { slope: number; error: number } {
  const count = samples.length;
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / count;
  const meanAt = mean(({ atMs }) => atMs);
  const meanValue = mean(({ value }) => value);
  const spread = samples.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  if (count < 3 || spread === 0) return { slope: 0, error: 0 };
  const slope =
    samples.reduce((sum, { atMs, value }) => sum + (atMs - meanAt) * (value - meanValue), 0) / spread;
  const residual = samples.reduce(
    (sum, { atMs, value }) => sum + (value - meanValue - slope * (atMs - meanAt)) ** 2,
    0,
  );
  return { slope, error: Math.sqrt(residual / (count - 2) / spread) };
}
