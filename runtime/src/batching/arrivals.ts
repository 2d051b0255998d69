/** Over which arrivals are averaged, by ever lesser weight. */
const OVER_MS = 200;
/** Of what came after one more answer, in the average of what comes after answers. */
const WEIGHT = 0.2;

/**
 * How many rows are to be expected, by two measures: how many arrive in a millisecond lately, and how many come soon
 * after an answer, as from callers that ask again. Times are by the clock's `elapsed`.
 */
export class Arrivals {
  readonly #soonMs: number;
  #perMs = 0;
  #at = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #cameSince = 0;
  #perMsAfterAnswers = 0;

  /** `soonMs`: how long after an answer is soon. */
  constructor(soonMs: number) {
    this.#soonMs = soonMs;
  }

  arrived(rows: number, now: number): void {
    this.#perMs = this.#fadedBy(now) + rows / OVER_MS;
    this.#at = now;
    if (now - this.#answeredAt <= this.#soonMs) this.#cameSince += rows;
  }

  answered(now: number): void {
    const overMs = Math.min(this.#soonMs, now - this.#answeredAt);
    // Answers that come on top of each other leave no time to tell who came after which.
    if (overMs < this.#soonMs / 2) return;
    const perMs = this.#cameSince / overMs;
    this.#perMsAfterAnswers += WEIGHT * (perMs - this.#perMsAfterAnswers);
    this.#answeredAt = now;
    this.#cameSince = 0;
  }

  /** From now on, and without the `waiting` rows, which are there already: a lone request foretells no others. */
  perMs(waiting: number, now: number): number {
    const lately = this.#fadedBy(now) - waiting / OVER_MS;
    const leftMs = this.#answeredAt + this.#soonMs - now;
    const stillToCome = this.#perMsAfterAnswers * this.#soonMs - this.#cameSince;
    return Math.max(0, lately, leftMs > 0 ? stillToCome / leftMs : 0);
  }

  #fadedBy(now: number): number {
    return this.#perMs * Math.exp((this.#at - now) / OVER_MS);
  }
}
