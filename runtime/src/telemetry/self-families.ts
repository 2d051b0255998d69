import { METRICS } from '@switchback-ml/schemas';
import { Counter, Gauge, type Registry } from 'prom-client';
import { BUILD } from './build.ts';
import type { Family } from './family.ts';
import type { Tallies } from './tallies.ts';

export interface SelfSources {
  tallies: Tallies;
  dropped: () => Readonly<Record<string, number>>;
  /** Of the newest snapshot, since it was applied; null: none was yet. */
  snapshotAgeMs: () => number | null;
}

/** What there is to say of the runtime itself, whatever it serves. */
export function selfFamilies({ tallies, dropped, snapshotAgeMs }: SelfSources): Family[] {
  return [
    {
      name: METRICS.snapshotAge,
      help: 'Time since the newest serving snapshot was applied to every route; absent before.',
      type: 'gauge',
      collect() {
        const ageMs = snapshotAgeMs();
        return ageMs === null ? [] : [[{}, ageMs / 1000]];
      },
    },
    {
      name: METRICS.foldedSeries,
      help: 'Measurements that were counted under "_other", since too many versions have series of their own.',
      type: 'counter',
      collect: () => [[{}, tallies.folded]],
    },
    {
      name: METRICS.recordsDropped,
      help: 'Records of requests that could not be kept, by what they were for.',
      type: 'counter',
      collect: () => Object.entries(dropped()).map(([record, count]) => [{ record }, count] as const),
    },
    { name: METRICS.buildInfo, help: 'What runs: always 1.', type: 'gauge', collect: () => [[BUILD, 1]] },
  ];
}

/** What happens seldom is left to prom-client to count. */
export function seldomCounters(registry: Registry, countEngines: () => number) {
  const registers = [registry];
  new Gauge({
    name: METRICS.enginesRunning,
    help: 'Engines that hold a revision and answer.',
    registers,
    collect() {
      this.set(countEngines());
    },
  });
  return {
    restarts: new Counter({
      name: METRICS.engineRestarts,
      help: 'Engines replaced, by what was wrong with them.',
      labelNames: ['model', 'cause'],
      registers,
    }),
    unexpected: new Counter({
      name: METRICS.unexpectedFailures,
      help: 'Failures of the runtime itself that belong to no request.',
      labelNames: ['kind'],
      registers,
    }),
    applied: new Gauge({
      name: METRICS.snapshotAppliedTimestamp,
      help: 'When the newest serving snapshot was applied to every route.',
      registers,
    }),
  };
}
