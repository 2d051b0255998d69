import type { BatcherState } from '../batching/batcher.ts';

/** A revision that is in memory, as of now. */
export interface Running {
  model: string;
  version: string;
  revision: string;
  /** Of its engines, by seat. */
  pids: readonly number[];
  queue: BatcherState;
}
