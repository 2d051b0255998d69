import { type Latencies, quantile } from '../watch/latency.ts';
import type { Cell } from '../watch/traffic.ts';

const MINUTE_MS = 60_000;

export interface Stretch {
  /** Its middle, in minutes from the start. */
  atMinute: number;
  perSecond: number;
  p50Ms: number | null;
  p99Ms: number | null;
}

/** Answers of an environment by stretch of time; the one at the end, which was cut short, is left out. */
export function stretches(
  cells: readonly Cell[],
  environment: string,
  stretchMs: number,
  tookMs: number,
): Stretch[] {
  const count = Math.max(1, Math.floor(tookMs / stretchMs));
  return Array.from({ length: count }, (_, index) => {
    const own = cells.filter(cell => cell.environment === environment && cell.fromMs === index * stretchMs);
    const latencies: Latencies[] = own.map(cell => cell.latencies);
    return {
      atMinute: ((index + 0.5) * stretchMs) / MINUTE_MS,
      perSecond: own.reduce((sum, { answers }) => sum + answers, 0) / (stretchMs / 1000),
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    };
  });
}

export interface Answered {
  environment: string;
  answers: number;
  notOk: number;
  nulls: number;
  versions: number;
  p50Ms: number | null;
  p99Ms: number | null;
  longestMs: number | null;
}

/** One line an environment. */
export function answeredBy(cells: readonly Cell[]): Answered[] {
  return [...new Set(cells.map(({ environment }) => environment))].map(environment => {
    const own = cells.filter(cell => cell.environment === environment);
    const sum = (of: (cell: Cell) => number): number => own.reduce((before, cell) => before + of(cell), 0);
    const latencies = own.map(cell => cell.latencies);
    const answers = sum(cell => cell.answers);
    return {
      environment,
      answers,
      notOk: answers - sum(cell => cell.byStatus.get(200) ?? 0),
      nulls: sum(cell => cell.nulls),
      versions: new Set(
        own.flatMap(({ model, version }) => (version === null ? [] : [`${model} ${version}`])),
      ).size,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      longestMs: quantile(latencies, 1),
    };
  });
}

export function countBy<Item>(items: readonly Item[], key: (item: Item) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a);
}
