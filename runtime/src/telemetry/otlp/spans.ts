import type { Span } from '../trace/trace.ts';
import { attributesOf, nanos } from './value.ts';

const KINDS = { internal: 1, server: 2 } as const;
const STATUS_ERROR = 2;

/** As ExportTraceServiceRequest in OTLP's JSON encoding: ids in hexadecimal, 64-bit integers as text. */
export function encodeSpans(spans: readonly Span[], resource: object, scope: object): object {
  return { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: spans.map(encodeSpan) }] }] };
}

function encodeSpan(span: Span): object {
  const { traceId, spanId, parentId, name, kind, startMs, endMs, attributes, links, code } = span;
  return {
    traceId,
    spanId,
    ...(parentId !== null && { parentSpanId: parentId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(endMs),
    attributes: attributesOf(attributes),
    ...(links.length > 0 && { links }),
    ...(code !== null && { status: { code: STATUS_ERROR, message: code } }),
  };
}
