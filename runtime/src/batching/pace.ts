import type { CostCurve } from './cost.ts';

/** Of the estimate, kept per batch: a slow row is remembered for some dozens of batches. */
const MEMORY = 0.95;
/** Of the time limit that a batch may be expected to use. */
const SHARE = 0.5;
/** As long as the cost curve is not known, fewer rows are not divided among engines. */
const LEAST_SHARED_ROWS = 8;
/** What an engine loses between two batches when none is staged, roughly. */
const GAP_MS = 0.5;

/**
 * Milliseconds a row may cost, after one more batch: a peak that fades, so that seldom slow rows count. `fixedMs` is
 * what the batch itself cost.
 */
export function learnPace(msPerRow: number, rows: number, tookMs: number, fixedMs: number): number {
  return Math.max(Math.max(0, tookMs - fixedMs) / Math.max(1, rows), msPerRow * MEMORY);
}

/**
 * How many rows may go together so that sharing a batch makes nobody miss the time limit, which would kill the
 * engine for what each row alone has time enough to do.
 */
export function rowsInTime(msPerRow: number, timeoutMs: number, maxBatch: number, fixedMs: number): number {
  if (msPerRow <= 0) return maxBatch;
  return Math.max(1, Math.min(maxBatch, Math.floor((timeoutMs * SHARE - fixedMs) / msPerRow)));
}

/** How many of the waiting rows one of several idle engines should get: no fewer than cost as much as a batch. */
export function rowsForOne(waiting: number, idle: number, curve: CostCurve | null): number {
  if (idle <= 1) return waiting;
  const least =
    curve === null ? LEAST_SHARED_ROWS : curve.perRowMs > 0 ? curve.fixedMs / curve.perRowMs : waiting;
  return Math.max(1, Math.ceil(waiting / idle), Math.ceil(least));
}

/** A batch that takes no longer is short enough, whatever share of it is its own cost. */
const SHORT_MS = 2;

/**
 * How many rows make the batch's own cost no more than `share` of the whole: more would gain less than that, and make
 * everybody aboard wait longer. From a <= share (a + b n): n >= a (1 / share - 1) / b.
 */
export function rowsThatPay(curve: CostCurve | null, share: number, maxBatch: number): number {
  if (curve === null || curve.perRowMs <= 0) return maxBatch;
  const { fixedMs, perRowMs } = curve;
  const paying = Math.ceil((fixedMs * (1 / share - 1)) / perRowMs);
  return Math.max(1, Math.min(maxBatch, Math.max(paying, Math.floor(SHORT_MS / perRowMs))));
}

/** Whether a batch that is not full goes behind a running one, though others may still come to share it. */
export function stagesEarly(curve: CostCurve | null): boolean {
  return curve === null || curve.fixedMs <= GAP_MS;
}
