import type { Backend, ModelName } from '@switchback-ml/schemas';
import { Batcher } from '../batching/batcher.ts';
import { capacityRows } from '../batching/capacity.ts';
import type { Clock } from '../clock.ts';
import { isBatchable } from './signature.ts';

/** How long requests wait for an engine to be replaced: what it takes on a busy machine; each has its own deadline. */
const OUTAGE_MS = 5000;
/** How long the last requests may take once a revision is not wanted any more. */
const DRAIN_MS = 5000;

export interface BatcherOfOptions {
  clock: Clock;
  onBatch: (model: ModelName, rows: number, version: string) => void;
}

/** The queue before the engines of a revision, as its settings want it. */
export function batcherOf(model: ModelName, backend: Backend, { clock, onBatch }: BatcherOfOptions): Batcher {
  const { limits, engines = 1, batching, signature } = backend;
  return new Batcher({
    limits,
    // A batch must fit, whatever is said of the queue.
    capacityRows: capacityRows(limits),
    outageMs: OUTAGE_MS,
    engines,
    isBatchable: isBatchable(signature),
    waitMs: batching?.waitMs ?? 0,
    clock,
    onBatch: rows => onBatch(model, rows, backend.version),
  });
}

/** Waits until nothing waits and nothing is aboard, within a bound. */
export async function drain(batcher: Batcher, clock: Clock): Promise<void> {
  const drained = new AbortController();
  await Promise.race([batcher.idle(), clock.sleep(DRAIN_MS, drained.signal)]);
  drained.abort();
}
