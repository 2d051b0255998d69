/** How long ago a request counts 1/e: long enough that a model asked every few minutes is told from one never asked. */
const MEMORY_MS = 5 * 60_000;

/** How often something is asked for, lately: a count of requests that decays, read when somebody decides. */
export class Demand {
  /** Since the last reading. */
  #asked = 0;
  #count = 0;
  #readAt: number;

  /** By the clock's `elapsed`. */
  constructor(now: number) {
    this.#readAt = now;
  }

  /** On the way of each request. */
  asked(): void {
    this.#asked++;
  }

  /** Requests a second. */
  perSecond(now: number): number {
    this.#count = this.#count * Math.exp((this.#readAt - now) / MEMORY_MS) + this.#asked;
    this.#asked = 0;
    this.#readAt = now;
    return (this.#count / MEMORY_MS) * 1000;
  }
}

/**
 * What it is worth to have something in memory: waiting that it saves per second, per byte that it holds. This is the
 * value F * C / S of Greedy-Dual-Size-Frequency (L. Cherkasova, Improving WWW Proxies Performance with
 * Greedy-Dual-Size-Frequency Caching Policy, HP Laboratories HPL-98-69, 1998) with a rate that decays for F, which
 * ages what was asked for once, as the inflation L does there.
 */
export function worth(perSecond: number, wakeMs: number, bytes: number): number {
  return (perSecond * wakeMs) / Math.max(1, bytes);
}
