import { expect, test } from 'vitest';
import { ratioArithmetic } from '../../engine/memory/arithmetic.fixture.ts';
import { startRuntimeFixture } from '../../runtime.fixture.ts';
import { eventually, ratioBody } from '../../serving.fixture.ts';
import { startCollector } from '../otlp/collector.fixture.ts';

test('a candidate that hung is named in the trace of a request that its sibling answered', async () => {
  const collector = await startCollector();
  const runtime = await startRuntimeFixture({
    random: () => 0.99,
    env: {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.endpoint}/spans`,
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
    },
  });
  const hangs = Buffer.from(JSON.stringify({ ...ratioArithmetic(), hangsAbove: 100 }));
  const [, candidate] = await runtime.serve(
    { label: 'stable', weight: 90 },
    { label: 'candidate', weight: 10, model: hangs, limits: { timeoutMs: 100 } },
  );

  expect((await runtime.infer(ratioBody([600], [3]))).status).toBe(200);

  const spans = await eventually(
    () => collector.exports[0]?.body.resourceSpans[0].scopeSpans[0].spans as Sent[] | undefined,
    'the spans',
  );
  const of = (name: string) => spans.find(span => span.name === name);
  const [request, attempt] = [of('infer')!, of('failed attempt')!];
  expect(attempt.parentSpanId).toBe(request.spanId);
  expect(attempt.status).toEqual({ code: 2, message: 'E_ENGINE_TIMEOUT' });
  expect(attempt.attributes).toContainEqual({
    key: 'switchback.revision',
    value: { stringValue: candidate!.revision },
  });
  expect(BigInt(attempt.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(request.startTimeUnixNano));
  expect(BigInt(attempt.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(of('run')!.startTimeUnixNano));
});

interface Sent {
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: object[];
  status?: object;
}
