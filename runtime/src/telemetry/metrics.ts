import { METRICS, type ModelName } from '@switchback-ml/schemas';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Cause } from '../charge.ts';
import type { UnexpectedKind } from '../unexpected.ts';

/** What the runtime tells Prometheus. Labels are bounded: models and versions come from the snapshot. */
export interface Metrics {
  attempt(
    model: ModelName,
    version: string,
    outcome: 'answered' | 'non-finite' | 'failed',
    seconds: number,
  ): void;
  batch(model: ModelName, rows: number): void;
  replaced(model: string, cause: Cause['cause']): void;
  snapshotApplied(atMs: number): void;
  unexpected(kind: UnexpectedKind): void;
  /** The text that a scrape gets. */
  print(): Promise<string>;
  contentType: string;
}

export function makeMetrics({ countEngines }: { countEngines: () => number }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const seconds = new Histogram({
    name: METRICS.inferenceSeconds,
    help: 'Time of one attempt of one revision at one request, waiting included.',
    labelNames: ['model', 'version'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const attempts = new Counter({
    name: METRICS.inferenceAttempts,
    help: 'Attempts of revisions at requests, by how they ended.',
    labelNames: ['model', 'version', 'outcome'],
    registers,
  });
  const batchRows = new Histogram({
    name: METRICS.inferenceBatchRows,
    help: 'Rows that went to an engine together.',
    labelNames: ['model'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    registers,
  });
  const restarts = new Counter({
    name: METRICS.engineRestarts,
    help: 'Engines replaced, by what was wrong with them.',
    labelNames: ['model', 'cause'],
    registers,
  });
  const unexpected = new Counter({
    name: 'switchback_unexpected_failures_total',
    help: 'Failures of the runtime itself that belong to no request.',
    labelNames: ['kind'],
    registers,
  });
  const applied = new Gauge({
    name: METRICS.snapshotAppliedTimestamp,
    help: 'When the newest serving snapshot was applied to every route.',
    registers,
  });
  new Gauge({
    name: METRICS.enginesRunning,
    help: 'Engines that hold a revision and answer.',
    registers,
    collect() {
      this.set(countEngines());
    },
  });

  return {
    attempt(model, version, outcome, took) {
      attempts.inc({ model, version, outcome });
      if (outcome !== 'failed') seconds.observe({ model, version }, took);
    },
    batch: (model, rows) => batchRows.observe({ model }, rows),
    replaced: (model, cause) => restarts.inc({ model, cause }),
    snapshotApplied: atMs => applied.set(atMs / 1000),
    unexpected: kind => unexpected.inc({ kind }),
    print: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
