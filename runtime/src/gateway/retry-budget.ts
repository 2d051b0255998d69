interface RetryAllowance {
  /** Of the requests of the window, how many may be sent again. */
  ratio: number;
  /** So that a quiet environment can retry too. */
  leastPerSecond: number;
}

/** So that retries never double an outage: in any ten whole seconds a tenth of their requests and three a second. */
export const RETRIES: RetryAllowance = { ratio: 0.1, leastPerSecond: 3 };
/**
 * Of them, how many look for what one runtime does not know and nobody is known to serve: callers write names, and
 * names that nobody knows must not take the retries of others.
 */
export const LOOKS: RetryAllowance = { ratio: 0, leastPerSecond: 1 };
const WINDOW_SECONDS = 10;

/** How many requests may be sent a second time. A pure machine, to which the time is told; it never goes back. */
export class RetryBudget {
  readonly #allowance: RetryAllowance;
  readonly #requests = new Float64Array(WINDOW_SECONDS);
  readonly #retries = new Float64Array(WINDOW_SECONDS);
  #second = 0;
  #allRequests = 0;
  #allRetries = 0;

  constructor(allowance: RetryAllowance) {
    this.#allowance = allowance;
  }

  /** A request came. */
  request(nowMs: number): void {
    this.#requests[this.#slot(nowMs)]!++;
    this.#allRequests++;
  }

  /** Whether one may be sent again; if so, that is counted. */
  take(nowMs: number): boolean {
    const slot = this.#slot(nowMs);
    const { ratio, leastPerSecond } = this.#allowance;
    const most = leastPerSecond * WINDOW_SECONDS + ratio * this.#allRequests;
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
