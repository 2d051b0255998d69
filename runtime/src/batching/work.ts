import type { Tensors } from '../engine/tensor.ts';

/** Whoever waits for an answer. */
export interface Caller {
  /** True once nobody reads the answer any more: what has not begun need not begin. */
  readonly isGone: boolean;
}

/** Rows on their way to an engine. */
export interface Work {
  inputs: Tensors;
  rows: number;
  /** Kept out of any shared batch: it may be what killed the engine it was aboard before. */
  alone: boolean;
  /** As the clock's `elapsed()`, in ms: after it nobody wants the answer, and the work is not begun. */
  deadline: number;
  /** 1 goes first, larger ones later; 0, the default, counts as the last of all. */
  priority: number;
  caller: Caller;
}

/** Work that an engine has done, and where its time went. */
export interface Ran {
  outputs: Tensors;
  /** Rows that went to the engine together with its own. */
  batchRows: number;
  /** One object for all who went together, and nobody else's; absent: it went in several parts. */
  batch?: object;
  /** From arrival until its batch left for the engine. */
  queueMs: number;
  /** From there until the engine began it: the rest of the batch before it. 0: the engine was idle. */
  batchMs: number;
  /** From there until the answer was back. */
  runMs: number;
}
