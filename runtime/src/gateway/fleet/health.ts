/** What is known of whether a runtime can be asked. Times are of one clock that never goes back, in milliseconds. */
export interface Health {
  /** What it last said to a probe; silent: it said nothing several times in a row. */
  readonly seen: 'unknown' | 'ready' | 'unready' | 'silent';
  /** Probes without an answer, in a row. */
  readonly misses: number;
  /** Requests that it failed, in a row. */
  readonly faults: number;
  /** Not asked before, for what it did to requests. */
  readonly ejectedUntil: number;
  /** One soon after the other, which makes each longer. */
  readonly ejections: number;
}

export type HealthEvent =
  | { kind: 'probed'; answer: 'ready' | 'unready' | 'none' }
  /** It answered a request. */
  | { kind: 'answered' }
  /** It broke a connection off, or answered with an error of its own. */
  | { kind: 'failed' }
  /** It took no connection. */
  | { kind: 'refused' };

export const UNKNOWN: Health = { seen: 'unknown', misses: 0, faults: 0, ejectedUntil: 0, ejections: 0 };

const MOST_MISSES = 2;
const MOST_FAULTS = 5;
const EJECTED_MS = { first: 1000, longest: 30_000 };

/** `mayEject`: enough others are left. Probes need no such leave: they are evidence of nobody being there. */
export function afterEvent(health: Health, event: HealthEvent, now: number, mayEject: boolean): Health {
  switch (event.kind) {
    case 'probed':
      return afterProbe(health, event.answer);
    case 'answered':
      return health.faults === 0 ? health : { ...health, faults: 0 };
    case 'failed': {
      const faults = health.faults + 1;
      return faults >= MOST_FAULTS && mayEject ? eject(health, now) : { ...health, faults };
    }
    case 'refused':
      return mayEject ? eject(health, now) : { ...health, faults: health.faults + 1 };
  }
}

/** Lower is better; whoever is asked is of the best rank that any has. */
export const RANKS = { ready: 0, unready: 1, unheard: 1, ejected: 2, silent: 3 } as const;

export type Standing = keyof typeof RANKS;

export function standingOf({ seen, ejectedUntil }: Health, now: number): Standing {
  if (seen === 'silent') return 'silent';
  if (now < ejectedUntil) return 'ejected';
  return seen === 'unknown' ? 'unheard' : seen;
}

function afterProbe(health: Health, answer: 'ready' | 'unready' | 'none'): Health {
  if (answer !== 'none') return { ...health, seen: answer, misses: 0 };
  const misses = health.misses + 1;
  return { ...health, misses, seen: misses >= MOST_MISSES ? 'silent' : health.seen };
}

function eject(health: Health, now: number): Health {
  // What is still under way on its connections fails after it was put out, and tells nothing new.
  if (now < health.ejectedUntil) return health;
  const isSoonAgain = health.ejections > 0 && now - health.ejectedUntil < EJECTED_MS.longest;
  const ejections = isSoonAgain ? health.ejections + 1 : 1;
  const forMs = Math.min(EJECTED_MS.longest, EJECTED_MS.first * 2 ** (ejections - 1));
  return { ...health, faults: 0, ejections, ejectedUntil: now + forMs };
}
