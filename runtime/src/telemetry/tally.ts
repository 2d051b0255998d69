import { Histogram } from './histogram.ts';
import { OUTCOMES, type Outcome, outcomeOf } from './outcome.ts';
import { PROTOCOLS, type Served } from './served.ts';

const ATTEMPT_SECONDS = Float64Array.of(
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
);
const STAGE_SECONDS = Float64Array.of(
  0.00001,
  0.00005,
  0.0001,
  0.0005,
  0.001,
  0.005,
  0.01,
  0.05,
  0.1,
  0.5,
  1,
);
const BATCH_ROWS = Float64Array.of(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024);
const DIFFERENCES = Float64Array.of(0, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1);

export const STAGES = ['parse', 'queue', 'batch', 'run', 'encode'] as const;
export const ATTEMPT_OUTCOMES = ['answered', 'non-finite', 'failed'] as const;
export const CACHE_RESULTS = ['memory', 'redis', 'shared', 'miss'] as const;
export const SHADOW_OUTCOMES = ['compared', 'incomparable', 'failed', 'dropped'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];
export type CacheResult = (typeof CACHE_RESULTS)[number];

/** What came of a copy that a candidate got. `difference` is relative, from 0 to 1; null: it can't be said. */
export type ShadowResult =
  | { kind: 'compared'; difference: number | null }
  | { kind: 'failed' }
  | { kind: 'dropped' };

/** So many answers, and the time that they took together. */
export interface Timed {
  count: number;
  ms: number;
}

/** All numbers of one version of one model, since this process first met it. They only grow. */
export class Tally {
  readonly model: string;
  readonly version: string;
  /** Of the newest request, as the clock's `now()`. */
  lastAt: number;
  readonly attemptSeconds = new Histogram(ATTEMPT_SECONDS);
  readonly attempts = makeCounts(ATTEMPT_OUTCOMES);
  /** Of answered requests. */
  readonly requestSeconds = new Histogram(ATTEMPT_SECONDS);
  readonly stageSeconds = STAGES.map(() => new Histogram(STAGE_SECONDS)) as [
    parse: Histogram,
    queue: Histogram,
    batch: Histogram,
    run: Histogram,
    encode: Histogram,
  ];
  /** By protocol, and in each by outcome. */
  readonly requests = Object.fromEntries(
    PROTOCOLS.map(protocol => [protocol, makeCounts(OUTCOMES)]),
  ) as Record<Served['protocol'], Record<Outcome, number>>;
  readonly errors = new Map<string, number>();
  readonly cache = makeCounts(CACHE_RESULTS);
  readonly hits: Timed = { count: 0, ms: 0 };
  readonly misses: Timed = { count: 0, ms: 0 };
  readonly failures: Timed = { count: 0, ms: 0 };
  /** Of answered requests. */
  rows = 0;
  /** Of those, the rows that an engine ran for them. */
  engineRows = 0;
  retries = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** That the front spent on its requests, however they ended: what its CPU time is shared out by. */
  frontMs = 0;
  engineCpuSeconds = 0;
  frontCpuSeconds = 0;
  readonly batchRows = new Histogram(BATCH_ROWS);
  readonly batches = new BatchSizes();
  readonly shadows = makeCounts(SHADOW_OUTCOMES);
  readonly shadowDifference = new Histogram(DIFFERENCES);

  constructor(model: string, version: string, now: number) {
    this.model = model;
    this.version = version;
    this.lastAt = now;
  }

  /** One request, at `now` by the clock. */
  served(record: Served, now: number): void {
    const { stages, code, from, protocol, attempts } = record;
    this.lastAt = now;
    this.bytesIn += record.bytesIn;
    this.bytesOut += record.bytesOut;
    this.frontMs += stages.parseMs + stages.encodeMs;
    if (attempts > 1) this.retries += attempts - 1;
    const outcome = outcomeOf(code, from);
    this.requests[protocol][outcome]++;
    if (outcome === 'answered') this.#answered(record);
    else if (code !== null) this.#failed(code, record.totalMs);
  }

  attempt(outcome: AttemptOutcome, seconds: number): void {
    this.attempts[outcome]++;
    if (outcome !== 'failed') this.attemptSeconds.observe(seconds);
  }

  shadow(result: ShadowResult): void {
    if (result.kind !== 'compared') this.shadows[result.kind]++;
    else if (result.difference === null) this.shadows.incomparable++;
    else {
      this.shadows.compared++;
      this.shadowDifference.observe(result.difference);
    }
  }

  #answered(record: Served): void {
    const { stages, from, rows, batchRows, totalMs } = record;
    this.rows += rows;
    this.requestSeconds.observe(totalMs / 1000);
    const [parse, queue, batch, run, encode] = this.stageSeconds;
    if (stages.parseMs > 0) parse.observe(stages.parseMs / 1000);
    if (stages.queueMs > 0) queue.observe(stages.queueMs / 1000);
    if (stages.batchMs > 0) batch.observe(stages.batchMs / 1000);
    if (stages.runMs > 0) run.observe(stages.runMs / 1000);
    if (stages.encodeMs > 0) encode.observe(stages.encodeMs / 1000);
    if (from === 'engine') {
      this.engineRows += rows;
      if (batchRows > 0) this.batches.add(batchRows, rows / batchRows, stages);
      if (record.backend?.cache !== undefined) this.#cached('miss', this.misses, totalMs);
    } else if (from !== 'fallback') this.#cached(from, this.hits, totalMs);
  }

  #cached(result: CacheResult, timed: Timed, ms: number): void {
    this.cache[result]++;
    timed.count++;
    timed.ms += ms;
  }

  #failed(code: string, ms: number): void {
    this.failures.count++;
    this.failures.ms += ms;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}

/** Larger batches count as this large. */
const MOST_ROWS = 1024;
/** Batches, and the ms of parse, run and encode. */
const PER_SIZE = 4;

/**
 * What was run in batches of which size. Each request brings the part of its batch that its rows are, so that the
 * parts of a batch add up to one batch, and nobody needs to know which requests shared it.
 */
export class BatchSizes {
  #numbers = new Float64Array(2 * PER_SIZE);

  add(batchRows: number, part: number, { parseMs, runMs, encodeMs }: Served['stages']): void {
    const size = Math.min(batchRows, MOST_ROWS);
    const at = size * PER_SIZE;
    if (at >= this.#numbers.length) this.#grow(size);
    const numbers = this.#numbers;
    numbers[at]! += part;
    numbers[at + 1]! += parseMs;
    numbers[at + 2]! += runMs * part;
    numbers[at + 3]! += encodeMs;
  }

  *[Symbol.iterator](): Generator<{
    rows: number;
    batches: number;
    parseMs: number;
    runMs: number;
    encodeMs: number;
  }> {
    const numbers = this.#numbers;
    for (let rows = 1; rows * PER_SIZE < numbers.length; rows++) {
      const [batches, parseMs, runMs, encodeMs] = numbers.subarray(rows * PER_SIZE);
      if (batches! > 0)
        yield { rows, batches: batches!, parseMs: parseMs!, runMs: runMs!, encodeMs: encodeMs! };
    }
  }

  #grow(size: number): void {
    const grown = new Float64Array(Math.min(MOST_ROWS + 1, size * 2) * PER_SIZE);
    grown.set(this.#numbers);
    this.#numbers = grown;
  }
}

/** A zero for each, all there from the start: the object keeps its shape. */
function makeCounts<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map(name => [name, 0])) as Record<Name, number>;
}
