import { setTimeout as delay } from 'node:timers/promises';
import { closedLoad } from '../load/closed.ts';
import { failuresOf, type OpenOptions, openLoad } from '../load/open.ts';
import type { Disturbed } from '../results.ts';
import { median } from '../statistics.ts';
import type { OurSubject } from '../subject/ours.ts';
import type { Ground } from '../subject/subject.ts';

/**
 * Of what it can do: enough that a stall shows, and room for what the disturbance itself costs and for the generator,
 * which needs more processor time for a request than what it asks.
 */
const LOAD_SHARE = 0.1;
const CONNECTIONS = 256;
const CAPACITY_MS = 2000;
const CAPACITY_CONNECTIONS = 32;
/** Before the first disturbance, and after the last. */
const MARGIN_MS = 1000;

export interface Disturbance {
  /** In one word, for the lines that are told. */
  what: string;
  times: number;
  /** Between one and the next. */
  restMs: number;
  /** Resolves once all is well again. */
  disturb: (count: number) => Promise<void>;
}

/** Steady load before, during and after something that must not be noticed. */
export async function underLoad(
  ours: OurSubject,
  { what, times, restMs, disturb }: Disturbance,
  quietMs: number,
  ground: Ground,
): Promise<Disturbed> {
  const dialect = ours.dialect('json');
  const closed = { ...ground, connections: CAPACITY_CONNECTIONS, forMs: CAPACITY_MS };
  const { perSecond: capacity } = await closedLoad(dialect, closed);
  const perSecond = capacity * LOAD_SHARE;
  const load: OpenOptions = { perSecond, forMs: quietMs, connections: CONNECTIONS, signal: ground.signal };
  const before = await openLoad(dialect, load);

  const stopping = new AbortController();
  const boundMs = quietMs + times * (restMs + 10_000);
  const running = openLoad(dialect, { ...load, forMs: boundMs, stop: stopping.signal });
  // Judged below; until then nobody listens.
  running.catch(() => {});
  const startedAt = performance.now();
  const tookMs: number[] = [];
  const atMs: number[] = [];
  try {
    await delay(MARGIN_MS, undefined, { signal: ground.signal });
    for (let count = 1; count <= times; count++) {
      const began = performance.now();
      atMs.push(began - startedAt);
      await disturb(count);
      tookMs.push(performance.now() - began);
      if (count % 10 === 0 || count === times) ground.tell(`${what}: ${count} of ${times}`);
      await delay(restMs, undefined, { signal: ground.signal });
    }
    await delay(MARGIN_MS, undefined, { signal: ground.signal });
  } finally {
    stopping.abort();
  }
  const disturbed = await running;
  const after = await openLoad(dialect, load);
  const quiet = [before, after];
  return {
    times,
    perSecond,
    quiet,
    disturbed,
    failed: failuresOf(disturbed) + disturbed.turnedAway.count,
    p99Ratio: disturbed.answered.p99Ms / median(quiet.map(({ answered }) => answered.p99Ms)),
    tookMs,
    atMs,
  };
}
