import type { CostCurve } from './cost.ts';

/** Shorter waits are not worth a timer, which counts in milliseconds. */
const SHORTEST_MS = 1;

export interface LingerQuestion {
  /** The longest wait allowed; 0: never. */
  mostMs: number;
  /** That would go now. */
  rows: number;
  /** That may go together. */
  mostRows: number;
  /** Expected to arrive in a millisecond, from now on. */
  rowsPerMs: number;
  curve: CostCurve | null;
  /** Until the first deadline of what waits. */
  leftMs: number;
}

/** How long an idle engine is kept idle for others to join a batch, and why so. */
export interface Linger {
  ms: number;
  why:
    | 'off'
    | 'full'
    | 'cost not known'
    | 'nobody expected'
    | 'sharing gains less than waiting costs'
    | 'gain too short for a timer'
    | 'deadline too near'
    | 'gain';
}

/**
 * Let n rows wait, r more arrive in a millisecond, and a batch of n take a + b n. Going at once, the n are answered
 * after a + b n, and the m = r w that arrive meanwhile a + b m later. Going after w, all are answered after
 * w + a + b (n + m). The sum of everybody's times is less by w (r (a - b n) - n - r w) for having waited: most at
 * w = (a - b n - n / r) / 2, and nothing at all where rows cost more than batches (b n >= a).
 */
export function linger({ mostMs, rows, mostRows, rowsPerMs, curve, leftMs }: LingerQuestion): Linger {
  if (mostMs <= 0) return { ms: 0, why: 'off' };
  if (rows >= mostRows) return { ms: 0, why: 'full' };
  if (curve === null) return { ms: 0, why: 'cost not known' };
  if (rowsPerMs <= 0) return { ms: 0, why: 'nobody expected' };
  const { fixedMs, perRowMs } = curve;
  const best = (fixedMs - perRowMs * rows - rows / rowsPerMs) / 2;
  if (best <= 0) return { ms: 0, why: 'sharing gains less than waiting costs' };
  const untilFull = (mostRows - rows) / rowsPerMs;
  const ms = Math.min(best, mostMs, untilFull);
  if (ms < SHORTEST_MS) return { ms: 0, why: 'gain too short for a timer' };
  const batchMs = fixedMs + perRowMs * (rows + rowsPerMs * ms);
  return leftMs < ms + batchMs ? { ms: 0, why: 'deadline too near' } : { ms, why: 'gain' };
}
