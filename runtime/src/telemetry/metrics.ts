import { collectDefaultMetrics, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import type { CacheReport } from '../cache/cache.ts';
import type { Cause } from '../charge.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { UnexpectedKind } from '../unexpected.ts';
import { cacheFamilies } from './cache-families.ts';
import { expose } from './family.ts';
import { Readings } from './readings.ts';
import type { Running } from './running.ts';
import { runningFamilies } from './running-families.ts';
import { seldomCounters, selfFamilies } from './self-families.ts';
import type { Served } from './served.ts';
import { type StatsSource, statsSource } from './stats.ts';
import { NONE, Tallies } from './tallies.ts';
import type { AttemptOutcome, ShadowResult } from './tally.ts';
import { tallyFamilies } from './tally-families.ts';

/** Versions of models with series of their own: about a hundred lines of a scrape each. */
const MOST_VERSIONS = 200;
/** Gauges that end in `_total`, which only counters may; what they say, others say by kind. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** What the runtime tells Prometheus, and whoever asks for statistics. Labels are bounded. */
export interface Metrics extends StatsSource {
  served(record: Served): void;
  attempt(model: string, version: string, outcome: AttemptOutcome, seconds: number): void;
  batch(model: string, rows: number, version?: string): void;
  shadow(model: string, version: string, result: ShadowResult): void;
  replaced(model: string, cause: Cause['cause']): void;
  snapshotApplied(atMs: number): void;
  unexpected(kind: UnexpectedKind): void;
  /** The text that a scrape gets. */
  print(): Promise<string>;
  contentType: string;
  /** The same, not printed. */
  collect(): Promise<CollectedMetric[]>;
}

export type CollectedMetric = MetricObjectWithValues<MetricValue<string>>;

export interface MetricsOptions {
  countEngines: () => number;
  /** What is told of queues, engines and what they cost. */
  running: () => readonly Running[];
  /** What is told of remembered answers; absent: none are remembered. */
  cache?: () => CacheReport;
  /** Whether a model of this name is to be served; absent: any name is taken for one. */
  isModel?: (model: string) => boolean;
  /** Records that could not be kept so far, by what they were for; absent: none are kept. */
  dropped?: () => Readonly<Record<string, number>>;
  clock?: Clock;
  mostVersions?: number;
}

export function makeMetrics(options: MetricsOptions): Metrics {
  const { running = () => [], isModel = () => true, dropped = () => ({}), clock = systemClock } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const seldom = seldomCounters(registry, options.countEngines);
  const tallies = new Tallies({ clock, isModel, most: options.mostVersions ?? MOST_VERSIONS });
  const readings = new Readings({ running, tallies, clock });
  let appliedAt: number | null = null;
  const snapshotAgeMs = () => (appliedAt === null ? null : clock.now() - appliedAt);
  let remembered: CacheReport | null = null;
  const look = async (): Promise<void> => {
    await readings.refresh();
    remembered = options.cache?.() ?? null;
  };
  expose(registry, [
    ...tallyFamilies(tallies),
    ...runningFamilies(readings),
    ...cacheFamilies(() => remembered),
    ...selfFamilies({ tallies, dropped, snapshotAgeMs }),
  ]);

  return {
    ...statsSource(tallies),
    served: record => tallies.served(record),
    attempt: (model, version, outcome, took) => tallies.of(model, version).attempt(outcome, took),
    batch: (model, rows, version = NONE) => tallies.of(model, version).batchRows.observe(rows),
    shadow: (model, version, result) => tallies.of(model, version).shadow(result),
    replaced: (model, cause) => seldom.restarts.inc({ model, cause }),
    snapshotApplied(atMs) {
      appliedAt = atMs;
      seldom.applied.set(atMs / 1000);
    },
    unexpected: kind => seldom.unexpected.inc({ kind }),
    async print() {
      await look();
      return registry.metrics();
    },
    contentType: registry.contentType,
    async collect() {
      await look();
      return registry.getMetricsAsJSON();
    },
  };
}
