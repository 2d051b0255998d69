/** So many turned away for want of room within `WINDOW_MS` are no burst any more. */
const REFUSALS = 64;
const WINDOW_MS = 1000;
/** Nobody turned away for so long: the overload is over. */
const CALM_MS = 1000;
/** The long queue is tried again after so long, and after twice the time whenever it overflows again. */
const FIRST_HOLD_MS = 30_000;
const LONGEST_HOLD_MS = 300_000;

/**
 * Tells a burst, which a long queue absorbs, from more than can be done for good, where a long queue makes everybody
 * wait and helps nobody: then it is to be kept short. Callers who each wait for their answer never fill a queue that
 * has room for all of them, and are never turned away. Times are by the clock's `elapsed`.
 */
export class Standing {
  #isStanding = false;
  #countedFrom = Number.NEGATIVE_INFINITY;
  #refusals = 0;
  #calmAt = 0;
  #triedAgainAt = Number.NEGATIVE_INFINITY;
  #holdMs = FIRST_HOLD_MS;
  #holdEndsAt = 0;

  /** Whether the queue is to be kept short now. */
  holds(now: number): boolean {
    if (!this.#isStanding || (now < this.#calmAt && now < this.#holdEndsAt)) return this.#isStanding;
    this.#isStanding = false;
    this.#refusals = 0;
    if (now < this.#calmAt) this.#triedAgainAt = now;
    return false;
  }

  /** Somebody is turned away for want of room. True: from now on the queue is to be kept short. */
  refused(now: number): boolean {
    const holds = this.holds(now);
    this.#calmAt = now + CALM_MS;
    if (holds) return false;
    if (now - this.#countedFrom > WINDOW_MS) {
      this.#countedFrom = now;
      this.#refusals = 0;
    }
    if (++this.#refusals < REFUSALS) return false;
    const overflowsAgain = now - this.#triedAgainAt <= this.#holdMs;
    this.#holdMs = overflowsAgain ? Math.min(LONGEST_HOLD_MS, this.#holdMs * 2) : FIRST_HOLD_MS;
    this.#holdEndsAt = now + this.#holdMs;
    this.#isStanding = true;
    return true;
  }
}
