import { describe, expect, test } from 'vitest';
import { type SteppedClock, steppedClock } from '../../clock.fixture.ts';
import { systemClock } from '../../clock.ts';
import { type Log, silentLog } from '../../log.ts';
import { makeMetrics } from '../metrics.ts';
import { backend, served } from '../served.fixture.ts';
import { span, spanSinkContract } from '../trace/trace.contract.ts';
import { type CollectorFixture, startCollector } from './collector.fixture.ts';
import { type OtlpOptions, otlpMetrics, otlpSpans } from './index.ts';

const RESOURCE = { 'service.name': 'switchback-runtime', 'service.instance.id': 'i1' };

function optionsFor(
  { endpoint }: { endpoint: string },
  more: Partial<OtlpOptions> = {},
  signal = 'traces',
): OtlpOptions {
  return {
    collector: { url: `${endpoint}/v1/${signal}`, headers: { authorization: 'Bearer s3cret' } },
    resource: RESOURCE,
    version: '0.1.0',
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    ...more,
  };
}

const spansIn = ({ exports }: CollectorFixture) =>
  exports.flatMap(({ body }) => body.resourceSpans[0].scopeSpans[0].spans);

spanSinkContract('otlp', async () => {
  const collector = await startCollector();
  const sink = otlpSpans(optionsFor(collector));
  return { sink, names: () => spansIn(collector).map(({ name }) => name) };
});

/** `rests(ms)` resolves once somebody waits for just so long. */
function watchedClock(): { clock: SteppedClock; rests(ms: number): Promise<void> } {
  const stepped = steppedClock();
  const awaited = new Map<number, () => void>();
  const sleep: SteppedClock['sleep'] = (ms, signal) => {
    const slept = stepped.sleep(ms, signal);
    awaited.get(ms)?.();
    return slept;
  };
  return { clock: { ...stepped, sleep }, rests: ms => new Promise(resolve => awaited.set(ms, resolve)) };
}

test('spans go out as OTLP has them in JSON, with the resource and the headers of the collector', async () => {
  const collector = await startCollector();
  const sink = otlpSpans(optionsFor(collector));
  const link = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

  sink.offer({
    ...span('infer'),
    parentId: 'c'.repeat(16),
    kind: 'server',
    startMs: 1_700_000_000_000.25,
    endMs: 1_700_000_000_001,
    attributes: { model: 'fraud', rows: 3, share: 0.5 },
    links: [link],
    code: 'E_ENGINE_DIED',
  });
  await sink[Symbol.asyncDispose]();

  const [one] = collector.exports;
  expect(one).toMatchObject({
    path: '/v1/traces',
    headers: { 'content-type': 'application/json', authorization: 'Bearer s3cret' },
  });
  expect(one?.body).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'switchback-runtime' } },
            { key: 'service.instance.id', value: { stringValue: 'i1' } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'switchback', version: '0.1.0' },
            spans: [
              {
                traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
                spanId: '00f067aa0ba902b7',
                parentSpanId: 'c'.repeat(16),
                name: 'infer',
                kind: 2,
                startTimeUnixNano: '1700000000000250000',
                endTimeUnixNano: '1700000000001000000',
                attributes: [
                  { key: 'model', value: { stringValue: 'fraud' } },
                  { key: 'rows', value: { intValue: '3' } },
                  { key: 'share', value: { doubleValue: 0.5 } },
                ],
                links: [link],
                status: { code: 2, message: 'E_ENGINE_DIED' },
              },
            ],
          },
        ],
      },
    ],
  });
});

describe('a collector that', () => {
  async function make(answers: CollectorFixture['answers']) {
    const collector = await startCollector();
    collector.answers.push(...answers);
    const { clock, rests } = watchedClock();
    const told: string[] = [];
    const warn = (_: unknown, words: string): void => void told.push(words);
    const sink = otlpSpans(optionsFor(collector, { clock, log: { ...silentLog, warn } as Log }));
    return { collector, clock, rests, sink, told };
  }

  test('asks for time gets it, and then the same spans again', async () => {
    const { collector, clock, rests, sink, told } = await make([
      { status: 503, headers: { 'retry-after': '7' } },
    ]);
    const resting = rests(7000);
    sink.offer(span('one'));
    await clock.advance(5000);
    await resting;

    await clock.advance(6999);
    expect(collector.exports).toHaveLength(1);
    await clock.advance(1);
    await collector.came(2);
    await sink[Symbol.asyncDispose]();

    expect(spansIn(collector).map(({ name }) => name)).toEqual(['one', 'one']);
    expect(sink.dropped).toBe(0);
    expect(told).toEqual(['telemetry could not be sent']);
  });

  test('refuses a request is not asked again, and its spans are counted as dropped', async () => {
    const { collector, clock, sink } = await make([{ status: 400 }]);
    sink.offer(span('one'));
    await clock.advance(5000);
    await collector.came(1);
    sink.offer(span('two'));
    await sink[Symbol.asyncDispose]();

    expect(spansIn(collector).map(({ name }) => name)).toEqual(['one', 'two']);
    expect(sink.dropped).toBe(1);
  });

  test('takes a part of them has the others counted as dropped', async () => {
    const { collector, sink } = await make([
      { status: 200, body: '{"partialSuccess":{"rejectedSpans":"2"}}' },
    ]);

    for (const name of ['one', 'two', 'three']) sink.offer(span(name));
    await sink[Symbol.asyncDispose]();

    expect(spansIn(collector)).toHaveLength(3);
    expect(sink.dropped).toBe(2);
  });

  test('sends us elsewhere is not followed', async () => {
    const { collector, sink } = await make([
      { status: 307, headers: { location: 'http://127.0.0.1:1/v1/traces' } },
    ]);

    sink.offer(span('one'));
    await sink[Symbol.asyncDispose]();

    expect(collector.exports).toHaveLength(1);
    expect(sink.dropped).toBe(1);
  });
});

test('with no collector at all spans are dropped, and closing is not held up', async () => {
  const sink = otlpSpans(optionsFor({ endpoint: 'http://127.0.0.1:1' }));

  sink.offer(span('one'));
  const began = systemClock.elapsed();
  await sink[Symbol.asyncDispose]();

  expect(systemClock.elapsed() - began).toBeLessThan(3500);
  expect(sink.dropped).toBe(1);
});

test('metrics go out as a scrape would have them: counters and histograms cumulative, buckets apart', async () => {
  const collector = await startCollector();
  const clock = steppedClock();
  await clock.advance(1000);
  const metrics = makeMetrics({ running: () => [], countEngines: () => 2, clock });
  metrics.served(served());
  metrics.served(served({ backend: backend('1'), totalMs: 1e6 }));
  const exporting = otlpMetrics({ ...optionsFor(collector, { clock }, 'metrics'), metrics, everyMs: 60_000 });

  await clock.advance(60_000);
  await collector.came(1);
  await exporting[Symbol.asyncDispose]();

  const [{ path, body }] = collector.exports as [CollectorFixture['exports'][number]];
  expect(path).toBe('/v1/metrics');
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const named = (name: string): any =>
    body.resourceMetrics[0].scopeMetrics[0].metrics.find((metric: { name: string }) => metric.name === name);
  const attributes = [
    { key: 'model', value: { stringValue: 'fraud' } },
    { key: 'version', value: { stringValue: '1' } },
  ];
  expect(named('switchback_request_rows_total').sum).toEqual({
    aggregationTemporality: 2,
    isMonotonic: true,
    dataPoints: [{ attributes, startTimeUnixNano: '1000000000', timeUnixNano: '61000000000', asDouble: 2 }],
  });
  expect(named('switchback_engines_running').gauge.dataPoints).toMatchObject([{ asDouble: 2 }]);
  const [histogram] = named('switchback_request_duration_seconds').histogram.dataPoints;
  expect(histogram).toMatchObject({ attributes, count: '2', sum: 1000.003 });
  expect(histogram.bucketCounts).toHaveLength(histogram.explicitBounds.length + 1);
  expect(histogram.bucketCounts.filter((count: string) => count !== '0')).toEqual(['1', '1']);
  expect(histogram.bucketCounts.at(-1)).toBe('1');
  expect(named('switchback_request_errors_total')).toBeUndefined();
  const units = ['request_rows_total', 'request_bytes_total', 'request_duration_seconds', 'engines_running'];
  expect(units.map(name => named(`switchback_${name}`).unit)).toEqual(['{row}', 'By', 's', undefined]);
});
