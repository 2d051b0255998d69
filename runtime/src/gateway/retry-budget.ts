/** Of the requests of the window, how many may be sent again. */
const RATIO = 0.1;
/** So that a quiet environment can retry too. */
const LEAST_PER_SECOND = 3;
const WINDOW_SECONDS = 10;

/**
 * How many requests may be sent a second time, so that retries never double an outage: in any ten whole seconds a
 * tenth of their requests and three a second. A pure machine, to which the time is told; it never goes back.
 */
export class RetryBudget {
  readonly #requests = new Float64Array(WINDOW_SECONDS);
  readonly #retries = new Float64Array(WINDOW_SECONDS);
  #second = 0;
  #allRequests = 0;
  #allRetries = 0;

  /** A request came. */
  request(nowMs: number): void {
    this.#requests[this.#slot(nowMs)]!++;
    this.#allRequests++;
  }

  /** Whether one may be sent again; if so, that is counted. */
  take(nowMs: number): boolean {
    const slot = this.#slot(nowMs);
    const most = LEAST_PER_SECOND * WINDOW_SECONDS + RATIO * this.#allRequests;
    if (this.#allRetries + 1 > most) return false;
    this.#retries[slot]!++;
    this.#allRetries++;
    return true;
  }

  /** Of this second, once those that left the window are forgotten. */
  #slot(nowMs: number): number {
    const second = Math.floor(nowMs / 1000);
    const passed = Math.min(second - this.#second, WINDOW_SECONDS);
    for (let step = 1; step <= passed; step++) this.#forget((this.#second + step) % WINDOW_SECONDS);
    if (second > this.#second) this.#second = second;
    return this.#second % WINDOW_SECONDS;
  }

  #forget(slot: number): void {
    this.#allRequests -= this.#requests[slot]!;
    this.#allRetries -= this.#retries[slot]!;
    this.#requests[slot] = 0;
    this.#retries[slot] = 0;
  }
}
