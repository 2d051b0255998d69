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
/** Of all requests, that are turned away in the next window: added while it is too much, and a part kept after. */
const STEP = 0.1;
const KEPT = 0.7;
/** Some are always let in, or nobody would see that it is over. */
const LARGEST_SHARE = 0.9;
const SMALLEST_SHARE = 0.01;

/** The share of requests to turn away after a window, whose shortest turn took so long. */
export function nextShare(share: number, shortestTurnMs: number): number {
  if (shortestTurnMs >= STANDING_MS) return Math.min(LARGEST_SHARE, share + STEP);
  const kept = share * KEPT;
  return kept < SMALLEST_SHARE ? 0 : kept;
}

export interface CongestionOptions {
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
}

/** Turns requests away unread while this process can not keep up with reading them. */
export class Congestion implements AsyncDisposable {
  readonly #options: CongestionOptions;
  readonly #stop = new AbortController();
  readonly #turns: ReturnType<typeof monitorEventLoopDelay>;
  readonly #watch: Promise<void>;
  #share = 0;

  constructor(options: CongestionOptions) {
    this.#options = options;
    this.#turns = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#turns.enable();
    this.#watch = this.#look(this.#stop.signal);
  }

  /** Why the request that came now is not read; null: it is. */
  refusal(): SwitchbackError | null {
    if (this.#share === 0 || this.#options.random() >= this.#share) return null;
    return new SwitchbackError(
      'E_OVERLOADED',
      'More is asked of this runtime than it can read: try again later, or with fewer callers.',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watch;
    this.#turns.disable();
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(WINDOW_MS, signal);
      const { count, min } = this.#turns;
      if (count < LEAST_TURNS) continue;
      this.#share = nextShare(this.#share, min / 1e6);
      this.#turns.reset();
    }
  }
}
