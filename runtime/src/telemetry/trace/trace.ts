/** Something that took time, once it is over. */
export interface Span {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** Null: it is the first of its trace. */
  parentId: string | null;
  name: string;
  /** server: the answer to somebody's request. internal: a part of it. */
  kind: 'server' | 'internal';
  /** Milliseconds since 1970, with fractions. */
  startMs: number;
  endMs: number;
  attributes: Readonly<Record<string, string | number>>;
  links: readonly SpanLink[];
  /** Our code; null: it went well. */
  code: string | null;
}

export interface SpanLink {
  traceId: string;
  spanId: string;
}

/** Takes spans that are over. */
export interface SpanSink extends AsyncDisposable {
  /** Never waits and never throws: what there is no room for is dropped, and counted. */
  offer(span: Span): void;
  readonly dropped: number;
}
