import type { Served } from '../served.ts';
import type { SpanIds } from './ids.ts';
import type { Span, SpanLink, SpanSink } from './trace.ts';

/** As many links as OpenTelemetry keeps of a span where nobody says otherwise. */
const MOST_LINKS = 128;

export interface BatchSpansOptions {
  sink: SpanSink;
  ids: SpanIds;
  /** Has it called once this turn of the event loop is over. */
  soon: (flush: () => void) => void;
}

/**
 * The spans of batches. Those who shared one are answered in one turn, and each points to its span; the span points
 * to all of them, so it is passed on when that turn is over.
 */
export class BatchSpans {
  readonly #options: BatchSpansOptions;
  readonly #known = new WeakMap<object, SpanLink>();
  /** Of this turn. */
  #open = new Map<object, Span & { links: SpanLink[] }>();

  constructor(options: BatchSpansOptions) {
    this.#options = options;
  }

  /** The span of the batch that this request went in; null: of none. `endMs`: when the request was over. */
  of(record: Served, request: SpanLink, endMs: number): SpanLink | null {
    const { batch } = record;
    if (batch === null) return null;
    const open = this.#open.get(batch);
    if (open !== undefined && open.links.length < MOST_LINKS) open.links.push(request);
    return this.#known.get(batch) ?? this.#begin(batch, record, request, endMs);
  }

  flush(): void {
    const open = this.#open;
    this.#open = new Map();
    for (const span of open.values()) this.#options.sink.offer(span);
  }

  #begin(batch: object, record: Served, request: SpanLink, endMs: number): SpanLink {
    const { ids, soon } = this.#options;
    const link = { traceId: ids.trace(), spanId: ids.span() };
    this.#known.set(batch, link);
    if (this.#open.size === 0) soon(() => this.flush());
    this.#open.set(batch, batchSpan(record, link, [request], endMs));
    return link;
  }
}

function batchSpan(
  { model, backend, batchRows, stages }: Served,
  own: SpanLink,
  links: SpanLink[],
  endMs: number,
): Span & { links: SpanLink[] } {
  const end = endMs - stages.encodeMs;
  return {
    ...own,
    parentId: null,
    // `batch` is the stage in which a request waits for it.
    name: 'engine batch',
    kind: 'internal',
    startMs: end - stages.runMs,
    endMs: end,
    attributes: {
      'switchback.model': model,
      ...(backend !== null && { 'switchback.revision': backend.revision }),
      'switchback.batch_rows': batchRows,
    },
    links,
    code: null,
  };
}
