import type { Instant } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';

/** How often a runtime is looked at. */
export const LOOK_EVERY_MS = 500;

/** How often one is that has yet to say who it is: everybody waits for that. */
export const LOOK_AT_START_MS = 100;

/** One that answered before and now is silent for so long is hung. */
const SILENT_MS = 5000;

/** A new one has to load its engine and its models' code first. */
const STARTING_MS = 30_000;

/** After a pause of the whole machine the clock alone would call everybody silent. */
const FEWEST_LOOKS = 3;

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;
const FORGIVEN_MS = 60_000;

/** How long a runtime may be silent. */
export class Patience {
  readonly #clock: Clock;
  #heardAt: Instant;
  #looks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#heardAt = clock.now();
  }

  heard(): void {
    this.#heardAt = this.#clock.now();
    this.#looks = 0;
  }

  /** To be asked once after every look that was not answered. */
  isOver(isStarting: boolean): boolean {
    this.#looks++;
    const silentMs = this.#clock.now() - this.#heardAt;
    return silentMs > (isStarting ? STARTING_MS : SILENT_MS) && this.#looks >= FEWEST_LOOKS;
  }

  /** One that lived so long did not die of its start: neither that nor what came before is counted. */
  static isForgiven(aliveMs: number): boolean {
    return aliveMs >= FORGIVEN_MS;
  }
}

/** Doubling from a quarter of a second up to half a minute. */
export function retryDelayMs(crashes: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (crashes - 1));
}
