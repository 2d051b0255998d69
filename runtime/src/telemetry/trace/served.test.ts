import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { startRuntimeFixture } from '../../runtime.fixture.ts';
import { eventually, ratioBody } from '../../serving.fixture.ts';
import { startCollector } from '../otlp/collector.fixture.ts';

interface Sent {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  links?: { traceId: string; spanId: string }[];
}

test('a batch of a runtime and the requests that shared it point to each other at the collector', async () => {
  const collector = await startCollector();
  const runtime = await startRuntimeFixture({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
  await runtime.serve({});
  const traces = Array.from({ length: 8 }, () => randomBytes(16).toString('hex'));

  await Promise.all(
    traces.map(async trace =>
      (
        await runtime.infer(ratioBody([6], [3]), undefined, {
          traceparent: `00-${trace}-${'ab'.repeat(8)}-01`,
        })
      ).text(),
    ),
  );
  const spansOf = (name: string): Sent[] =>
    collector.exports
      .filter(({ path }) => path === '/v1/traces')
      .flatMap(({ body }): Sent[] => body.resourceSpans[0].scopeSpans[0].spans)
      .filter(span => span.name === name);
  await eventually(
    () => spansOf('engine batch').flatMap(({ links = [] }) => links).length === 8,
    'the batches',
  );

  const batches = spansOf('engine batch');
  expect(
    spansOf('infer')
      .map(({ traceId }) => traceId)
      .sort(),
  ).toEqual(traces.toSorted());
  for (const request of spansOf('infer')) {
    const run = spansOf('run').find(({ parentSpanId }) => parentSpanId === request.spanId);
    const batch = batches.find(({ spanId }) => spanId === run?.links?.[0]?.spanId);
    expect(batch?.links).toContainEqual({ traceId: request.traceId, spanId: request.spanId });
  }
});
