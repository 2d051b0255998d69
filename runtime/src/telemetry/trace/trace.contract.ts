import { expect, test } from 'vitest';
import type { Span, SpanSink } from './trace.ts';

export interface SpanSinkFixture {
  sink: SpanSink;
  /** Names of the spans that came out, once the sink was disposed of. */
  names(): string[];
}

export function span(name: string): Span {
  return {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    parentId: null,
    name,
    kind: 'internal',
    startMs: 1,
    endMs: 2,
    attributes: {},
    links: [],
    code: null,
  };
}

/** What every SpanSink keeps to. */
export function spanSinkContract(adapter: string, open: () => Promise<SpanSinkFixture>): void {
  test(`${adapter} has passed on every span when it was disposed of, in order`, async () => {
    const { sink, names } = await open();
    const given = Array.from({ length: 700 }, (_, n) => `span ${n}`);

    for (const name of given) sink.offer(span(name));
    await sink[Symbol.asyncDispose]();

    expect(names()).toEqual(given);
    expect(sink.dropped).toBe(0);
  });

  test(`${adapter} has a bound, and counts what it could not keep`, async () => {
    const { sink, names } = await open();

    for (let n = 0; n < 20_000; n++) sink.offer(span('many'));
    await sink[Symbol.asyncDispose]();

    expect(sink.dropped).toBeGreaterThan(0);
    expect(names().length + sink.dropped).toBe(20_000);
  });
}
