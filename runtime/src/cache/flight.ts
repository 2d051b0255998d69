import type { Clock } from '../clock.ts';

export interface FlightOptions {
  clock: Clock;
  /** How long those who wait do so before some of them go by themselves. */
  patienceMs: number;
  /** Whether a failure tells of the request, so that the next to try it would fail as well, or of its caller only. */
  isTelling: (error: unknown) => boolean;
  /** Called once: from now on an equal request begins anew. */
  onOver: () => void;
}

/** Resolves with null when it made something that nobody else may have. */
export type Make<T> = () => Promise<T | null>;

interface Waiter<T> {
  make: Make<T>;
  resolve: (landed: Landed<T> | null) => void;
  reject: (error: unknown) => void;
}

export interface Landed<T> {
  value: T;
  /** By somebody else. */
  isShared: boolean;
}

const MOST_WAITERS = 1000;
const MOST_TELLING_FAILURES = 2;

/**
 * Equal requests under way at the same time, of which one runs and the others wait.
 *
 * - A value lands for all.
 * - Null is the runner's own: each of the others goes by itself, at once, as if there were no cache.
 * - A failure goes to its runner alone, and the next in line runs: an engine that died by accident fails one, not a
 *   hundred, and a hundred don't rush at the engine that comes after it. When two in a row failed for a reason that
 *   lies in the request, it would likely kill the third engine too: the others share the failure.
 * - Patience runs out: one of them goes by itself, after as much again two more, then four. So a slow runner holds
 *   `n` others for log2(n) patiences at most, and an overloaded engine doesn't get all of them in one blow.
 */
export class Flight<T> {
  readonly #options: FlightOptions;
  readonly #waiting: Waiter<T>[] = [];
  #runs = 0;
  #tellingFailures = 0;
  #isOver = false;
  #patience: { end: AbortController; ran: Promise<void> } | null = null;

  constructor(options: FlightOptions) {
    this.#options = options;
  }

  get hasSeat(): boolean {
    return this.#waiting.length < MOST_WAITERS;
  }

  /** Runs `make`; what comes of it is also for those who wait. */
  async fly(make: Make<T>): Promise<T | null> {
    this.#runs++;
    let value: T | null;
    try {
      value = await make();
    } catch (error) {
      this.#runs--;
      this.#fail(error);
      throw error;
    }
    this.#runs--;
    this.#land(value);
    return value;
  }

  /** Waits for what flies; `make` is for the case that it must go by itself. */
  join(make: Make<T>): Promise<Landed<T> | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ make, resolve, reject });
      this.#watch();
    });
  }

  #land(value: T | null): void {
    if (this.#isOver) return;
    this.#end();
    if (value === null) this.#release(this.#waiting.length);
    else for (const { resolve } of this.#waiting.splice(0)) resolve({ value, isShared: true });
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    if (this.#options.isTelling(error)) this.#tellingFailures++;
    if (this.#tellingFailures >= MOST_TELLING_FAILURES || (this.#runs === 0 && this.#waiting.length === 0)) {
      this.#end();
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    } else if (this.#runs === 0) this.#release(1);
  }

  #release(count: number): void {
    for (const { make, resolve, reject } of this.#waiting.splice(0, count))
      this.fly(make).then(value => resolve(value === null ? null : { value, isShared: false }), reject);
  }

  #end(): void {
    this.#isOver = true;
    this.#patience?.end.abort();
    this.#options.onOver();
  }

  #watch(): void {
    if (this.#patience !== null) return;
    const end = new AbortController();
    this.#patience = { end, ran: this.#losePatience(end.signal) };
  }

  /** Never rejects; ends with the flight, or when nobody is left to wait. */
  async #losePatience(signal: AbortSignal): Promise<void> {
    for (let count = 1; this.#waiting.length > 0; count *= 2) {
      await this.#options.clock.sleep(this.#options.patienceMs, signal);
      if (this.#isOver) return;
      this.#release(count);
    }
    this.#patience = null;
  }
}
