import type { Histogram } from './histogram.ts';
import type { Tallies } from './tallies.ts';
import { Tally, type Timed } from './tally.ts';

/** As the statistics extension of the Open Inference Protocol has it. */
export interface Duration {
  count: number;
  ns: number;
}

export interface ModelStats {
  name: string;
  version: string;
  /** Milliseconds since 1970; 0: none yet. */
  last_inference: number;
  /** Rows that engines ran. */
  inference_count: number;
  /** Batches that engines ran. */
  execution_count: number;
  inference_stats: Record<
    | 'success'
    | 'fail'
    | 'queue'
    | 'compute_input'
    | 'compute_infer'
    | 'compute_output'
    | 'cache_hit'
    | 'cache_miss',
    Duration
  >;
  batch_stats: {
    batch_size: number;
    compute_input: Duration;
    compute_infer: Duration;
    compute_output: Duration;
  }[];
}

export interface StatsSource {
  /** Of one version of one model, since this process first met it; zeros for one that it didn't. */
  stats(model: string, version: string): ModelStats;
}

export function statsSource(tallies: Tallies): StatsSource {
  return {
    stats: (model, version) => statsOf(tallies.find(model, version) ?? new Tally(model, version, 0)),
  };
}

function statsOf(tally: Tally): ModelStats {
  const [parse, queue, batch, run, encode] = tally.stageSeconds;
  const { requestSeconds, failures, hits, misses } = tally;
  const batches = [...tally.batches];
  return {
    name: tally.model,
    version: tally.version,
    last_inference: requestSeconds.count === 0 ? 0 : tally.lastAt,
    inference_count: tally.engineRows,
    execution_count: Math.round(batches.reduce((sum, batch) => sum + batch.batches, 0)),
    inference_stats: {
      success: duration(requestSeconds.count, requestSeconds.sum * 1000),
      fail: timed(failures),
      // The protocol has one word for both waits, and every request that waits for a batch was queued before.
      queue: duration(queue.count, (queue.sum + batch.sum) * 1000),
      compute_input: seconds(parse),
      compute_infer: seconds(run),
      compute_output: seconds(encode),
      cache_hit: timed(hits),
      cache_miss: timed(misses),
    },
    batch_stats: batches.map(({ rows, batches: count, parseMs, runMs, encodeMs }) => ({
      batch_size: rows,
      compute_input: duration(count, parseMs),
      compute_infer: duration(count, runMs),
      compute_output: duration(count, encodeMs),
    })),
  };
}

function seconds({ count, sum }: Histogram): Duration {
  return duration(count, sum * 1000);
}

function timed({ count, ms }: Timed): Duration {
  return duration(count, ms);
}

/** Whole numbers, as the protocol wants them. */
function duration(count: number, ms: number): Duration {
  return { count: Math.round(count), ns: Math.round(ms * 1e6) };
}
