import type { Clock } from '../clock.ts';
import type { Tensors } from '../engine/tensor.ts';
import { asSwitchbackError, type SwitchbackError } from '../error.ts';
import { joinRows, splitRows } from './batch.ts';
import type { Post } from './crew.ts';
import type { Forecast } from './forecast.ts';
import type { Request } from './request.ts';

export interface RunOptions {
  /** Now, by the clock's `elapsed`. */
  sentAt: number;
  timeoutMs: number;
  clock: Pick<Clock, 'elapsed'>;
  /** Is told what the batch took. */
  forecast: Pick<Forecast, 'answered'>;
}

/** Requests whose batch said nothing of any one of them, and how they are to be grouped when they are run again. */
export interface Again {
  groups: readonly (readonly Request[])[];
  /** The graph mixes rows, whatever its signature says: never again two requests in one batch. */
  mixesRows: boolean;
}

/** Runs one batch of `rows` rows and tells its requests, but for those that it returns. Never rejects. */
export async function runBatch(
  post: Post,
  batch: readonly Request[],
  rows: number,
  options: RunOptions,
): Promise<Again | null> {
  post.batches++;
  post.rows += rows;
  try {
    const outputs = await post.engine.infer(
      joinRows(batch.map(({ work }) => work.inputs)),
      options.timeoutMs,
    );
    const now = options.clock.elapsed();
    // A staged batch begins when the one before it is answered.
    options.forecast.answered(rows, now - Math.max(options.sentAt, post.lastAnswerAt), now);
    post.lastAnswerAt = now;
    return answer(batch, rows, outputs, { sentAt: options.sentAt, now });
  } catch (error) {
    return fail(post, batch, asSwitchbackError(error));
  } finally {
    post.batches--;
    post.rows -= rows;
  }
}

function answer(
  batch: readonly Request[],
  batchRows: number,
  outputs: Tensors,
  { sentAt, now }: { sentAt: number; now: number },
): Again | null {
  const parts = splitRows(
    outputs,
    batch.map(({ rows }) => rows),
  );
  if (parts === null) return { groups: [batch], mixesRows: true };
  const runMs = now - sentAt;
  for (let index = 0; index < batch.length; index++) {
    const request = batch[index]!;
    const queueMs = sentAt - request.arrivedAt;
    request.resolve({ outputs: parts[index]!, batchRows, batch, queueMs, runMs });
  }
  return null;
}

/** Where one of them spoilt the batch, it is found by halves, after a few runs, and fails alone. */
function fail(post: Post, batch: readonly Request[], error: SwitchbackError): Again | null {
  post.isGone ||= error.code === 'E_ENGINE_DIED' || error.code === 'E_ENGINE_TIMEOUT';
  if (batch.length > 1 && !post.isGone) {
    const middle = batch.length >> 1;
    return { groups: [batch.slice(0, middle), batch.slice(middle)], mixesRows: false };
  }
  for (const { reject } of batch) reject(error);
  return null;
}
