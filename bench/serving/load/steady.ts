import type { Dialect } from '../subject/subject.ts';
import { closedLoad } from './closed.ts';
import { failuresOf, type OpenResult, openLoad } from './open.ts';

/** That our own generator sends: each costs it some 40 µs of a core, so that more of them would measure itself. */
const OWN_PER_SECOND = 1000;
/** Of the callers who send the rest, between an answer and the next request; evenly spread, lest they march in step. */
const THINK_MS = { least: 10, most: 30 };
const OPEN_CONNECTIONS = 256;

export interface SteadyOptions {
  perSecond: number;
  forMs: number;
  scratch: string;
  signal: AbortSignal;
}

export interface SteadyResult {
  /** What it came to. */
  perSecond: number;
  /** Of those that were sent by a schedule. */
  open: OpenResult;
  /** Of the others. */
  refused: number;
}

/**
 * A rate, and latency from the intended start of requests with fixed arrivals. What exceeds what we can send by a
 * schedule comes from wrk, by as many callers as make up the rate with some time to think.
 */
export async function steadyLoad(dialect: Dialect, options: SteadyOptions): Promise<SteadyResult> {
  const { perSecond, forMs, scratch, signal } = options;
  const own = Math.min(perSecond, OWN_PER_SECOND);
  const load = { perSecond: own, forMs, connections: OPEN_CONNECTIONS, signal };
  const callers = Math.round(((perSecond - own) * (THINK_MS.least + THINK_MS.most)) / 2 / 1000);
  if (callers === 0) return { perSecond, open: await openLoad(dialect, load), refused: 0 };
  const closed = { connections: callers, forMs, thinkMs: THINK_MS, scratch, signal };
  const [open, others] = await Promise.all([openLoad(dialect, load), closedLoad(dialect, closed)]);
  return { perSecond: own + others.perSecond, open, refused: others.refused + others.broken };
}

/** How many got no good answer. */
export function shortcomingsOf({ open, refused }: Pick<SteadyResult, 'open' | 'refused'>): number {
  return failuresOf(open) + open.turnedAway.count + refused;
}
