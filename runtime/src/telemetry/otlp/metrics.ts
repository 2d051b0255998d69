import type { CollectedMetric } from '../metrics.ts';
import { attributesOf, nanos } from './value.ts';

const CUMULATIVE = 2;

type Point = CollectedMetric['values'][number] & { metricName?: string };

interface Span {
  startMs: number;
  nowMs: number;
}

/** What a scrape would get, as ExportMetricsServiceRequest in OTLP's JSON encoding. Summaries are left out. */
export function encodeMetrics(
  metrics: readonly CollectedMetric[],
  resource: object,
  scope: object,
  span: Span,
): object {
  const encoded = metrics
    .filter(({ values }) => values.length > 0)
    .flatMap(metric => encodeMetric(metric, span));
  return { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics: encoded }] }] };
}

function encodeMetric({ name, help, type, values }: CollectedMetric, span: Span): object[] {
  const points = values as readonly Point[];
  const unit = unitOf(name);
  const described = { name, description: help, ...(unit !== null && { unit }) };
  // prom-client's types call it a number; it holds the word.
  switch (String(type)) {
    case 'counter':
      return [
        {
          ...described,
          sum: {
            aggregationTemporality: CUMULATIVE,
            isMonotonic: true,
            dataPoints: points.map(numberPoint(span)),
          },
        },
      ];
    case 'gauge':
      return [{ ...described, gauge: { dataPoints: points.map(numberPoint(span)) } }];
    case 'histogram':
      return [
        {
          ...described,
          histogram: { aggregationTemporality: CUMULATIVE, dataPoints: histogramPoints(name, points, span) },
        },
      ];
    default:
      return [];
  }
}

/** As UCUM has them. Names end in what is measured, as Prometheus wants it, counters in `_total` besides. */
const UNITS = [
  ['_rows_per_second', '{row}/s'],
  ['_seconds', 's'],
  ['_bytes', 'By'],
  ['_ratio', '1'],
  ['_rows', '{row}'],
  ['_requests', '{request}'],
] as const;

/** Null: the name has none. */
function unitOf(name: string): string | null {
  const measured = name.replace(/_total$/, '');
  return UNITS.find(([suffix]) => measured.endsWith(suffix))?.[1] ?? null;
}

function numberPoint({ startMs, nowMs }: Span): (point: Point) => object {
  return ({ labels, value }) => ({
    attributes: attributesOf(named(labels)),
    startTimeUnixNano: nanos(startMs),
    timeUnixNano: nanos(nowMs),
    asDouble: value,
  });
}

/** One for each set of labels: its buckets, cumulative, then sum and count, as prom-client hands them out. */
function histogramPoints(name: string, points: readonly Point[], { startMs, nowMs }: Span): object[] {
  const made: object[] = [];
  let bounds: number[] = [];
  let counts: number[] = [];
  let sum = 0;
  for (const { metricName, labels, value } of points) {
    if (metricName === `${name}_bucket`) {
      if (labels['le'] !== '+Inf') bounds.push(Number(labels['le']));
      counts.push(value);
    } else if (metricName === `${name}_sum`) sum = value;
    else {
      made.push({
        attributes: attributesOf(named(labels)),
        startTimeUnixNano: nanos(startMs),
        timeUnixNano: nanos(nowMs),
        count: String(value),
        sum,
        explicitBounds: bounds,
        bucketCounts: counts.map((count, index) => String(count - (counts[index - 1] ?? 0))),
      });
      [bounds, counts] = [[], []];
    }
  }
  return made;
}

/** Labels are texts, whatever prom-client was given. */
function named(labels: Point['labels']): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
}
