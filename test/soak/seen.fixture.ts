import type { Seen } from './judge/figures.ts';
import type { Cell } from './watch/traffic.ts';

export const MINUTE = 60_000;
export const STARTED_AT = Date.parse('2026-03-01T12:00:00Z');

/** Half an hour in which nothing went wrong. */
export function goodSoak(change: Partial<Seen> = {}): Seen {
  return {
    startedAt: STARTED_AT,
    endedAt: STARTED_AT + 30 * MINUTE,
    forMs: 30 * MINUTE,
    stretchMs: MINUTE,
    seed: 1,
    perSecond: 25,
    isInterrupted: false,
    requests: 135_000,
    failed: 0,
    failures: [],
    excuses: [],
    cells: ['dev', 'staging', 'prod'].flatMap(environment =>
      Array.from({ length: 30 }, (_, index) => cellOf(environment, index * MINUTE)),
    ),
    badVersions: new Set(['wine 2.1.0']),
    deeds: [
      {
        kind: 'good',
        isFault: false,
        what: 'wine 2.0.0 (wine-better) is pushed',
        atMs: STARTED_AT + MINUTE,
        tookMs: 90_000,
        outcome: 'proven',
        words: 'baked in prod',
      },
    ],
    processes: [lifeOf('controller', 7, () => 120 * 2 ** 20)],
    growth: [0, 30].map(minutes => ({
      atMs: STARTED_AT + minutes * MINUTE,
      ...{ ledger: 1e6, logs: 1e5, clone: 2e6, artifacts: 3e6, runtimes: 4e6, other: 1e3, remote: 5e6 },
      commits: minutes,
      records: minutes,
    })),
    divergences: [],
    events: [],
    unsettled: [],
    left: [],
    brokenInGit: [],
    ...change,
  };
}

export function cellOf(environment: string, fromMs: number): Cell {
  return {
    environment,
    model: 'wine',
    version: '1.0.0',
    fromMs,
    answers: 1500,
    nulls: 0,
    byStatus: new Map([[200, 1500]]),
    latencies: new Map([
      [3, 1480],
      [40, 20],
    ]),
  };
}

/** Looked at every ten seconds for half an hour. */
export function lifeOf(
  role: Seen['processes'][number]['role'],
  pid: number,
  ownBytes: (part: number) => number,
  descriptors: (part: number) => number = () => 40,
): Seen['processes'][number] {
  const samples = Array.from({ length: 181 }, (_, index) => ({
    atMs: STARTED_AT + index * 10_000,
    residentBytes: 2 ** 30,
    ownBytes: ownBytes(index / 180),
    descriptors: descriptors(index / 180),
  }));
  return { role, name: role, pid, samples };
}
