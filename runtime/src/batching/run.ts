import type { Clock } from '../clock.ts';
import type { Tensors } from '../engine/tensor.ts';
import { asSwitchbackError, SwitchbackError } from '../error.ts';
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
    const { sentAt } = options;
    const now = options.clock.elapsed();
    // A staged batch begins when the one before it is answered.
    const begunAt = Math.max(sentAt, post.lastAnswerAt);
    options.forecast.answered(rows, now - begunAt, now);
    post.lastAnswerAt = now;
    return answer(batch, rows, outputs, { sentAt, begunAt, now });
  } catch (error) {
    post.lastAnswerAt = options.clock.elapsed();
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
  { sentAt, begunAt, now }: { sentAt: number; begunAt: number; now: number },
): Again | null {
  const parts = splitRows(
    outputs,
    batch.map(({ rows }) => rows),
  );
  if (parts === null) return { groups: [batch], mixesRows: true };
  const batchMs = begunAt - sentAt;
  const runMs = now - begunAt;
  for (let index = 0; index < batch.length; index++) {
    const request = batch[index]!;
    const queueMs = sentAt - request.arrivedAt;
    request.resolve({ outputs: parts[index]!, batchRows, batch, queueMs, batchMs, runMs });
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
  const told = batch.length === 1 && error.code === 'E_ENGINE_TIMEOUT' ? alone(error) : error;
  for (const { reject } of batch) reject(told);
  return null;
}

/** Only the batch at the head runs out of time: where it held one request, that request is what took so long. */
function alone({ code, message, details, cause }: SwitchbackError): SwitchbackError {
  return new SwitchbackError(code, message, { details: { ...details, isAlone: true }, cause });
}
