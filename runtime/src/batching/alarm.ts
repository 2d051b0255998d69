import type { Clock } from '../clock.ts';

/** One timer that rings at the earliest time that was asked for, and is then to be set anew. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #setting = new AbortController();

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** By the clock's `elapsed`. It may ring earlier, for what was asked before. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.clear();
    const { signal } = this.#setting;
    this.#at = at;
    void this.#clock.sleep(Math.max(0, at - this.#clock.elapsed()), signal).then(() => {
      if (signal.aborted) return;
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  clear(): void {
    if (this.#at === Number.POSITIVE_INFINITY) return;
    this.#setting.abort();
    this.#setting = new AbortController();
    this.#at = Number.POSITIVE_INFINITY;
  }
}
