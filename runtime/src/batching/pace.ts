/** Of the estimate, kept per batch: a slow row is remembered for some dozens of batches. */
const MEMORY = 0.95;
/** Of the time limit that a batch may be expected to use. */
const SHARE = 0.5;

/** Milliseconds a row may cost, after one more batch: a peak that fades, so that seldom slow rows count. */
export function learnPace(msPerRow: number, rows: number, tookMs: number): number {
  return Math.max(tookMs / Math.max(1, rows), msPerRow * MEMORY);
}

/**
 * How many rows may go together so that sharing a batch makes nobody miss the time limit, which would kill the
 * engine for what each row alone has time enough to do.
 */
export function rowsInTime(msPerRow: number, timeoutMs: number, maxBatch: number): number {
  if (msPerRow <= 0) return maxBatch;
  return Math.max(1, Math.min(maxBatch, Math.floor((timeoutMs * SHARE) / msPerRow)));
}
