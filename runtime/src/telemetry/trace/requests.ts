import type { Carrier, Served } from '../served.ts';
import { BatchesTold } from './batches-told.ts';
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
  ids?: SpanIds;
}

/**
 * Makes the spans of a request once it is over, from what was noted of it anyway: nothing is spent on those that
 * nobody records. A caller's own choice is kept to.
 */
export class RequestTraces {
  readonly #options: RequestTracesOptions;
  readonly #ids: SpanIds;
  readonly #told = new BatchesTold();

  constructor(options: RequestTracesOptions) {
    this.#options = options;
    this.#ids = options.ids ?? spanIds();
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
    const batch = record.batch === undefined ? null : this.#ids.batch(record.batch);
    sink.offer(requestSpan(record, root, batch, endMs));
    for (const span of stageSpans(record, root, () => this.#ids.span(), endMs)) sink.offer(span);
    if (batch !== null && this.#told.isNew(record.batch!)) sink.offer(batchSpan(record, root, batch, endMs));
  }

  get dropped(): number {
    return this.#options.sink.dropped;
  }
}

interface Root extends SpanLink {
  parentId: string | null;
}

function requestSpan(record: Served, root: Root, batch: SpanLink | null, endMs: number): Span {
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
    links: batch === null ? [] : [batch],
    code,
  };
}

/** Of the last attempt, back from the end: what came before it is in the request's own span alone. */
function* stageSpans(
  { stages, code }: Served,
  { traceId, spanId: parentId }: Root,
  nextId: () => string,
  endMs: number,
): Generator<Span> {
  let end = endMs;
  const { parseMs, queueMs, runMs, encodeMs } = stages;
  const backwards = [
    ['encode', encodeMs],
    ['run', runMs],
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
      links: [],
      code: end === endMs ? code : null,
    };
    end = startMs;
  }
}

function batchSpan(
  { model, backend, batchRows, stages }: Served,
  { traceId, spanId }: Root,
  batch: SpanLink,
  endMs: number,
): Span {
  const end = endMs - stages.encodeMs;
  return {
    ...batch,
    parentId: null,
    name: 'batch',
    kind: 'internal',
    startMs: end - stages.runMs,
    endMs: end,
    attributes: {
      'switchback.model': model,
      ...(backend !== null && { 'switchback.revision': backend.revision }),
      'switchback.batch_rows': batchRows,
    },
    links: [{ traceId, spanId }],
    code: null,
  };
}
