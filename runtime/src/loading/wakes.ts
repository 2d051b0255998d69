import type { Clock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';
import { Histogram } from '../telemetry/histogram.ts';

const SECONDS = Float64Array.of(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30);
/** Longer than this nobody is let wait who can be told at once that it will take longer. */
const PATIENCE_MS = 10_000;
/** Before any was measured. */
const USUAL_MS = 300;
/** Of the newest, in the average. */
const NEWEST = 0.2;

export interface WakesOptions {
  /** How many may load at once. */
  atOnce: number;
  clock: Clock;
}

/** Revisions that are being woken because somebody waits for them, and how long that takes. */
export class Wakes {
  readonly #options: WakesOptions;
  /** From the first request until an engine answers. */
  readonly seconds = new Histogram(SECONDS);
  #underWay = 0;
  #usualMs = USUAL_MS;
  #turnedAway = 0;

  constructor(options: WakesOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Requests that were told to come again rather than wait for an engine. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** What to tell a request for whom another would have to be woken; null: let it wait. */
  refusal(): SwitchbackError | null {
    const waitMs = ((this.#underWay + 1) * this.#usualMs) / this.#options.atOnce;
    return waitMs <= PATIENCE_MS ? null : this.turnAway(waitMs);
  }

  turnAway(retryAfterMs: number): SwitchbackError {
    this.#turnedAway++;
    const message =
      'This version is asleep, and there is no memory to wake it soon enough; try again later, or give the engines more by --engine-memory-mib.';
    return new SwitchbackError('E_MODEL_NOT_READY', message, {
      details: { retryAfterMs: Math.max(1, Math.round(retryAfterMs)) },
    });
  }

  /** What it returns is called once it is over: with whether it came up, and what loading alone took. */
  begin(): (loadMs: number | null) => void {
    const began = this.#options.clock.elapsed();
    let isOver = false;
    this.#underWay++;
    return loadMs => {
      if (isOver) return;
      isOver = true;
      this.#underWay--;
      if (loadMs === null) return;
      this.#usualMs += NEWEST * (loadMs - this.#usualMs);
      this.seconds.observe((this.#options.clock.elapsed() - began) / 1000);
    };
  }
}
