import type { Clock } from '../clock.ts';

/** Who takes longer does not count any more: others may begin beside it, so that one that hangs holds up nobody. */
const LONGEST_MS = 2000;

/** Who is to go first: requests wait for a revision without an engine; nothing waits for a spare. */
export const URGENCIES = ['outage', 'first', 'another', 'spare'] as const;
export type Urgency = (typeof URGENCIES)[number];

/**
 * Of those who have waited so long, one goes before the more urgent each time that so long has passed. Else a new
 * version would never come, as long as there is always somebody asleep to wake.
 */
export const LONG_WAIT_MS = 5000;

export interface TurnsOptions {
  atOnce: number;
  clock: Clock;
}

interface Waiting {
  urgency: Urgency;
  /** By the clock's `elapsed`. */
  since: number;
  give: (end: () => void) => void;
}

/**
 * Lets so many engines start and load at once as there are cores: more of them only make each other slow, and none
 * is ready until all are.
 */
export class Turns {
  readonly #options: TurnsOptions;
  #taken = 0;
  readonly #waiting = new Set<Waiting>();
  /** When one went before the more urgent. */
  #overtookAt = Number.NEGATIVE_INFINITY;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Waits for a turn, or until `signal` aborts. It is ended by calling what this resolves with, in any case. */
  async take(urgency: Urgency, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return () => {};
    const turn = Promise.withResolvers<() => void>();
    const waiting = { urgency, since: this.#options.clock.elapsed(), give: turn.resolve };
    const giveUp = (): void => {
      if (this.#waiting.delete(waiting)) turn.resolve(() => {});
    };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', giveUp, { once: true });
    this.#giveNext();
    try {
      return await turn.promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #giveNext(): void {
    while (this.#taken < this.#options.atOnce) {
      const next = this.#overdue() ?? this.#mostUrgent();
      if (next === null) return;
      this.#waiting.delete(next);
      next.give(this.#begin());
    }
  }

  #overdue(): Waiting | null {
    const now = this.#options.clock.elapsed();
    for (const waiting of this.#waiting) {
      if (waiting.urgency === 'spare') continue;
      // They stand in the order in which they came.
      if (now - Math.max(waiting.since, this.#overtookAt) < LONG_WAIT_MS) return null;
      this.#overtookAt = now;
      return waiting;
    }
    return null;
  }

  /** Among equals, whoever waits longest. */
  #mostUrgent(): Waiting | null {
    let most: Waiting | null = null;
    for (const waiting of this.#waiting)
      if (most === null || isBefore(waiting.urgency, most.urgency)) most = waiting;
    return most;
  }

  #begin(): () => void {
    const over = new AbortController();
    this.#taken++;
    const end = (): void => {
      if (over.signal.aborted) return;
      over.abort();
      this.#taken--;
      this.#giveNext();
    };
    void this.#options.clock.sleep(LONGEST_MS, over.signal).then(end);
    return end;
  }
}

function isBefore(a: Urgency, b: Urgency): boolean {
  return URGENCIES.indexOf(a) < URGENCIES.indexOf(b);
}
