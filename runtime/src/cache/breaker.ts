/** Times are the clock's `elapsed()`, in ms. */
export type Breaker =
  /** `faults` leaks away with good calls; `trips` in a row are forgotten when it has. */
  | { readonly kind: 'closed'; readonly faults: number; readonly trips: number }
  | { readonly kind: 'open'; readonly until: number; readonly trips: number }
  | { readonly kind: 'probing'; readonly trips: number };

export type BreakerEvent =
  /** Of a call; one that took too long has failed. */
  | 'succeeded'
  | 'failed'
  /** The connection is gone. */
  | 'lost'
  | 'probe-began'
  | 'probe-succeeded'
  | 'probe-failed';

export const MOST_FAULTS = 5;
/** One failure is forgiven for eight good calls: what fails more often than every ninth time is left alone. */
const FORGIVENESS = 1 / 8;
export const FIRST_REST_MS = 100;
export const LONGEST_REST_MS = 5000;

/** Not known to be there: tried before it is used. */
export const UNTRIED: Breaker = { kind: 'open', until: Number.NEGATIVE_INFINITY, trips: 0 };

/** What may be done now. `probe`: one try, for which no request waits. */
export function mayCall(breaker: Breaker, now: number): 'call' | 'probe' | 'rest' {
  if (breaker.kind === 'closed') return 'call';
  return breaker.kind === 'open' && now >= breaker.until ? 'probe' : 'rest';
}

/** The breaker after an event. What a call of an earlier life says is not heard. `random` is in [0, 1). */
export function advance(breaker: Breaker, event: BreakerEvent, now: number, random: number): Breaker {
  if (event === 'lost') return breaker.kind === 'open' ? breaker : trip(breaker, now, random);
  switch (breaker.kind) {
    case 'closed':
      return event === 'succeeded'
        ? forgive(breaker)
        : event === 'failed'
          ? blame(breaker, now, random)
          : breaker;
    case 'open':
      return event === 'probe-began' ? { kind: 'probing', trips: breaker.trips } : breaker;
    case 'probing':
      if (event === 'probe-failed') return trip(breaker, now, random);
      // On probation: the first fault opens it again, until enough calls went well.
      return event === 'probe-succeeded'
        ? { kind: 'closed', faults: breaker.trips === 0 ? 0 : MOST_FAULTS - 1, trips: breaker.trips }
        : breaker;
  }
}

function forgive(breaker: Extract<Breaker, { kind: 'closed' }>): Breaker {
  if (breaker.faults === 0) return breaker;
  const faults = Math.max(0, breaker.faults - FORGIVENESS);
  return { kind: 'closed', faults, trips: faults === 0 ? 0 : breaker.trips };
}

function blame(breaker: Extract<Breaker, { kind: 'closed' }>, now: number, random: number): Breaker {
  const faults = breaker.faults + 1;
  return faults >= MOST_FAULTS ? trip(breaker, now, random) : { ...breaker, faults };
}

/** Rests double; between half and all of it, so that many runtimes don't come back in step. */
function trip({ trips }: Breaker, now: number, random: number): Breaker {
  const longestMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(trips, 10));
  return { kind: 'open', until: now + longestMs * (0.5 + random / 2), trips: trips + 1 };
}
