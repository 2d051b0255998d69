import type { Clock } from '../clock.ts';
import type { AsyncLog } from '../log.ts';
import { outcomeOf } from './outcome.ts';
import { PerSecond } from './per-second.ts';
import type { Carrier, Served, Stages } from './served.ts';
import { readTraceparent } from './trace/traceparent.ts';

/** A name as a caller wrote it may be any text. */
const LONGEST_NAME = 100;
/** As long as any protocol takes one. */
const LONGEST_ID = 256;

export interface RequestLogOptions {
  log: AsyncLog;
  /** Of the requests that did not fail, from 0 to 1. Those that failed all get a line. */
  share: number;
  /** For those that failed, and as many again for the others; beyond, lines are left out and counted. */
  linesPerSecond: number;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
}

/** One line for a request, or none. It says what is needed to follow it up, and of what was asked no more than its id. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  readonly #failures: PerSecond;
  readonly #others: PerSecond;
  #leftOut = 0;

  constructor(options: RequestLogOptions) {
    this.#options = options;
    this.#failures = new PerSecond(options.linesPerSecond);
    this.#others = new PerSecond(options.linesPerSecond);
  }

  /** Never waits. */
  served(record: Served, carrier: Carrier): void {
    const { share, random, clock, log } = this.#options;
    const isFailure = record.code !== null && outcomeOf(record.code, record.from) === 'failed';
    if (!isFailure && random() >= share) return;
    const bound = isFailure ? this.#failures : this.#others;
    if (!bound.passes(clock.now())) {
      this.#leftOut++;
      return;
    }
    if (isFailure) log.warn(fieldsOf(record, carrier), 'request failed');
    else log.info(fieldsOf(record, carrier), 'request was answered');
  }

  /** Lines left out, for their number or because nobody took them. */
  get dropped(): number {
    return this.#leftOut + this.#options.log.dropped;
  }
}

function fieldsOf(record: Served, carrier: Carrier): Record<string, unknown> {
  const { model, id, commit, backend, protocol, by, code, from, rows, batchRows, attempts } = record;
  const trace = readTraceparent(carrier);
  return {
    model: model.slice(0, LONGEST_NAME),
    ...(id !== null && { id: id.slice(0, LONGEST_ID) }),
    ...(backend !== null && { version: backend.version, revision: backend.revision }),
    ...(commit !== null && { commit }),
    protocol,
    by,
    ...(code !== null && { code }),
    from,
    rows,
    batchRows,
    attempts,
    ms: { ...roundedStages(record.stages), total: rounded(record.totalMs) },
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    ...(trace !== null && { traceId: trace.traceId }),
  };
}

function roundedStages({ parseMs, queueMs, batchMs, runMs, encodeMs }: Stages): Record<string, number> {
  return {
    parse: rounded(parseMs),
    queue: rounded(queueMs),
    batch: rounded(batchMs),
    run: rounded(runMs),
    encode: rounded(encodeMs),
  };
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
