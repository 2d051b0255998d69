/** Latencies in milliseconds, counted: exact up to 100, then to two digits. */
export type Latencies = Map<number, number>;

const EXACT_MS = 100;

export function addLatency(latencies: Latencies, ms: number): void {
  const rounded = ms < EXACT_MS ? Math.round(ms) : Number(ms.toPrecision(2));
  latencies.set(rounded, (latencies.get(rounded) ?? 0) + 1);
}

/** The least that at least this share of all stay within; null of none. */
export function quantile(all: readonly Latencies[], share: number): number | null {
  const sum = new Map<number, number>();
  for (const latencies of all) for (const [ms, count] of latencies) sum.set(ms, (sum.get(ms) ?? 0) + count);
  const total = [...sum.values()].reduce((before, count) => before + count, 0);
  let seen = 0;
  for (const [ms, count] of [...sum].toSorted(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= share * total) return ms;
  }
  return null;
}
