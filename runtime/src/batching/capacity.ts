import type { BackendLimits } from '@switchback-ml/schemas';

const QUEUE_ROWS = 1024;

/** Rows that may wait for a revision, and so the most that one request may bring: never fewer than fill a batch. */
export function capacityRows({
  queueRows = QUEUE_ROWS,
  maxBatch,
}: Pick<BackendLimits, 'queueRows' | 'maxBatch'>): number {
  return Math.max(queueRows, maxBatch);
}
