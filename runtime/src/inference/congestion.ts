import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';

const WINDOW_MS = 500;
/** Of one turn of the event loop. */
const RESOLUTION_MS = 20;
/**
 * When even the shortest turn of a window takes so long, more is asked of this process than it can read. A single
 * long turn, for a large body or by a machine that is busy elsewhere, makes no window: one lasts until it has a few.
 */
const STANDING_MS = 100;
const LEAST_TURNS = 3;
/** What the limit becomes in a window of long turns, and in one of short ones, as a share of what it was. */
const SHRINK = 0.7;
const GROW = 1.25;
/** So many at once are no reason for long turns: a process that is starved by others is not helped by turning away. */
const LEAST_LIMIT = 64;
const NO_LIMIT_FROM = 10_000;
/** Told to many in a moment, so made once. */
const TOO_MUCH = new SwitchbackError(
  'E_OVERLOADED',
  'More is asked of this runtime than it can read: try again later, or with fewer callers.',
);

/**
 * How many requests may be in progress at once, after a window with at most `peak` of them, whose shortest turn took so
 * long. Infinite: any number.
 */
export function nextLimit(limit: number, peak: number, shortestTurnMs: number): number {
  if (shortestTurnMs >= STANDING_MS)
    return peak <= LEAST_LIMIT ? limit : Math.max(LEAST_LIMIT, Math.floor(Math.min(limit, peak) * SHRINK));
  const grown = limit * GROW;
  return grown >= NO_LIMIT_FROM ? Number.POSITIVE_INFINITY : Math.floor(grown);
}

/** Turns requests away unread while this process can not keep up with reading them. */
export class Congestion implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #turns: ReturnType<typeof monitorEventLoopDelay>;
  readonly #watch: Promise<void>;
  #inProgress = 0;
  #peak = 0;
  #limit = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turns = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#turns.enable();
    this.#watch = this.#look(this.#stop.signal);
  }

  /** Why one more is not to be read; null: it is. */
  refusal(): SwitchbackError | null {
    return this.#inProgress >= this.#limit ? TOO_MUCH : null;
  }

  /** A request begins, and is to `leave`. */
  enter(): void {
    this.#inProgress++;
    if (this.#inProgress > this.#peak) this.#peak = this.#inProgress;
  }

  leave(): void {
    this.#inProgress--;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watch;
    this.#turns.disable();
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(WINDOW_MS, signal);
      const { count, min } = this.#turns;
      if (count < LEAST_TURNS) continue;
      this.#limit = nextLimit(this.#limit, this.#peak, min / 1e6);
      this.#peak = this.#inProgress;
      this.#turns.reset();
    }
  }
}
