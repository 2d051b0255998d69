import type { LoadState } from '@switchback-ml/schemas';
import type { BatcherState } from '../batching/batcher.ts';
import type { Histogram } from './histogram.ts';

/** A revision that is served here, as of now. */
export interface Running {
  model: string;
  version: string;
  revision: string;
  /** Of its engines, by seat. */
  pids: readonly number[];
  queue: BatcherState;
  state?: LoadState;
  /** Ready, with no engine until somebody asks. */
  isAsleep?: boolean;
  /** Of one engine, as measured when it was loaded last; null: not known. */
  memoryBytes?: number | null;
  /** The one that all revisions share; absent: their memory has no bound. */
  room?: RunningRoom;
}

/** The memory that all engines share. */
export interface RunningRoom {
  budgetBytes: number;
  heldBytes: number;
  evictions: number;
  /** From the first request for a revision asleep until it answers. */
  wakeSeconds: Histogram;
  turnedAway: number;
}
