import type { Clock } from '../clock.ts';

/** Who takes longer does not count any more: others may begin beside it, so that one that hangs holds up nobody. */
const LONGEST_MS = 2000;

/** Who is to go first: requests wait for a revision without an engine; nothing waits for a spare. */
const URGENCIES = ['outage', 'first', 'another', 'spare'] as const;
export type Urgency = (typeof URGENCIES)[number];

export interface TurnsOptions {
  atOnce: number;
  clock: Clock;
}

interface Waiting {
  urgency: Urgency;
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

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Waits for a turn, or until `signal` aborts. It is ended by calling what this resolves with, in any case. */
  async take(urgency: Urgency, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return () => {};
    const turn = Promise.withResolvers<() => void>();
    const waiting = { urgency, give: turn.resolve };
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
      const next = this.#mostUrgent();
      if (next === null) return;
      this.#waiting.delete(next);
      next.give(this.#begin());
    }
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
