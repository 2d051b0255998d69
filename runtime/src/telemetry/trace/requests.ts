import type { Carrier, FailedAttempt, Served } from '../served.ts';
import { BatchSpans } from './batch-spans.ts';
import { type SpanIds, spanIds } from './ids.ts';
import type { Span, SpanLink, SpanSink } from './trace.ts';
import { readTraceparent } from './traceparent.ts';

export interface RequestTracesOptions {
  sink: SpanSink;
  /** Of the requests whose caller says nothing of a trace, from 0 to 1. */
  share: number;
  /** Now, in ms since 1970, with fractions. */
  now: () => number;
  /** In [0, 1). */
  random: () => number;
  /** Has it called once this turn of the event loop is over. */
  soon: (flush: () => void) => void;
  ids?: SpanIds;
}

/**
 * Makes the spans of a request once it is over, from what was noted of it anyway: nothing is spent on those that
 * nobody records. A caller's own choice is kept to.
 */
export class RequestTraces implements Disposable {
  readonly #options: RequestTracesOptions;
  readonly #ids: SpanIds;
  readonly #batches: BatchSpans;

  constructor(options: RequestTracesOptions) {
    this.#options = options;
    const ids = options.ids ?? spanIds();
    this.#ids = ids;
    this.#batches = new BatchSpans({ ...options, ids });
  }

  served(record: Served, carrier: Carrier): void {
    const { sink, share, now, random } = this.#options;
    const parent = readTraceparent(carrier);
    if (parent === null ? random() >= share : !parent.isSampled) return;
    const endMs = now();
    const root = {
      traceId: parent?.traceId ?? this.#ids.trace(),
      spanId: this.#ids.span(),
      parentId: parent?.spanId ?? null,
    };
    const batch = this.#batches.of(record, { traceId: root.traceId, spanId: root.spanId }, endMs);
    sink.offer(requestSpan(record, root, endMs));
    if (record.failed !== null) sink.offer(failedSpan(record, record.failed, root, this.#ids.span(), endMs));
    for (const span of stageSpans(record, root, batch, () => this.#ids.span(), endMs)) sink.offer(span);
  }

  /** Passes on what has waited for the end of this turn. */
  [Symbol.dispose](): void {
    this.#batches.flush();
  }

  get dropped(): number {
    return this.#options.sink.dropped;
  }
}

interface Root extends SpanLink {
  parentId: string | null;
}

function requestSpan(record: Served, root: Root, endMs: number): Span {
  const { model, backend, protocol, by, from, rows, batchRows, attempts, code, totalMs } = record;
  return {
    ...root,
    name: 'infer',
    kind: 'server',
    startMs: endMs - totalMs,
    endMs,
    attributes: {
      'switchback.model': model.slice(0, 100),
      ...(backend !== null && {
        'switchback.version': backend.version,
        'switchback.revision': backend.revision,
      }),
      'switchback.protocol': protocol,
      'switchback.chosen_by': by,
      'switchback.from': from,
      'switchback.rows': rows,
      'switchback.batch_rows': batchRows,
      'switchback.attempts': attempts,
    },
    links: [],
    code,
  };
}

/** Which revision it was that did not answer, where another did, or failed as well. */
function failedSpan(
  { totalMs }: Served,
  { backend: { version, revision }, code, afterMs, tookMs }: FailedAttempt,
  { traceId, spanId: parentId }: Root,
  spanId: string,
  endMs: number,
): Span {
  const startMs = endMs - totalMs + afterMs;
  return {
    traceId,
    spanId,
    parentId,
    name: 'failed attempt',
    kind: 'internal',
    startMs,
    endMs: startMs + tookMs,
    attributes: { 'switchback.version': version, 'switchback.revision': revision },
    links: [],
    code,
  };
}

/**
 * Of the last attempt, back from the end: what came before it is in the request's own span alone. The run points to
 * the batch that it was a part of.
 */
function* stageSpans(
  { stages, code }: Served,
  { traceId, spanId: parentId }: Root,
  batch: SpanLink | null,
  nextId: () => string,
  endMs: number,
): Generator<Span> {
  let end = endMs;
  const { parseMs, queueMs, batchMs, runMs, encodeMs } = stages;
  const backwards = [
    ['encode', encodeMs],
    ['run', runMs],
    ['batch', batchMs],
    ['queue', queueMs],
    ['parse', parseMs],
  ] as const;
  for (const [name, ms] of backwards) {
    if (ms <= 0) continue;
    const startMs = end - ms;
    yield {
      traceId,
      spanId: nextId(),
      parentId,
      name,
      kind: 'internal',
      startMs,
      endMs: end,
      attributes: {},
      links: name === 'run' && batch !== null ? [batch] : [],
      code: end === endMs ? code : null,
    };
    end = startMs;
  }
}
