import type { Instant } from '@switchback-ml/schemas';
import type { Pair, Slice } from './analysis.ts';
import { NO_PAIR, pairPlus } from './bad-of-total.ts';

export const SHORT_WINDOW_MS = 300_000;
export const LONG_WINDOW_MS = 3_600_000;

/** Fine while the short window may need them, then by the minute: about 90 slices an hour instead of 360. */
const FINE_MS = 10_000;
const COARSE_MS = 60_000;
const FINE_FOR_MS = SHORT_WINDOW_MS + COARSE_MS;

/** Adds what happened until now; drops what no window reaches any more. */
export function addSlice(slices: readonly Slice[], increment: Pair, now: Instant): Slice[] {
  const all = [...slices, { from: floorTo(now, FINE_MS), ...increment }];
  const kept: Slice[] = [];
  for (const slice of all) {
    const age = now - slice.from;
    if (age > LONG_WINDOW_MS + COARSE_MS) continue;
    const from = age > FINE_FOR_MS ? floorTo(slice.from, COARSE_MS) : slice.from;
    const last = kept.at(-1);
    // a clock that was set back must not put slices out of order
    if (last && last.from >= from) kept[kept.length - 1] = { from: last.from, ...pairPlus(last, slice) };
    else kept.push({ ...slice, from });
  }
  return kept;
}

/** Both sides over the last `windowMs`, or since the analysis began if that is shorter. */
export function over(slices: readonly Slice[], windowMs: number, now: Instant): Pair {
  return slices.filter(({ from }) => from > now - windowMs).reduce<Pair>(pairPlus, NO_PAIR);
}

function floorTo(instant: Instant, widthMs: number): Instant {
  return Math.floor(instant / widthMs) * widthMs;
}
