import type { Span, SpanSink } from './trace.ts';

/** Keeps the newest spans where a test, or a person with a debugger, can look at them. */
export function memorySpans(most = 1000): SpanSink & { readonly spans: readonly Span[] } {
  const spans: Span[] = [];
  let dropped = 0;
  return {
    spans,
    offer(span) {
      spans.push(span);
      if (spans.length <= most) return;
      spans.shift();
      dropped++;
    },
    get dropped() {
      return dropped;
    },
    async [Symbol.asyncDispose]() {},
  };
}
