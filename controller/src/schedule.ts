import type { Instant } from '@switchback-ml/schemas';
import type { Clock } from './clock.ts';

/** Runs a pass when nudged or when the last one asked for it, one at a time, and never more often than `restMs`. */
export class Schedule {
  readonly #pass: (signal: AbortSignal) => Promise<Instant>;
  readonly #clock: Clock;
  readonly #restMs: number;
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #isNudged = false;
  #loop: Promise<void> | null = null;

  /** @param pass does the work and says when it wants to be run again; must not throw */
  constructor({
    pass,
    clock,
    restMs,
  }: { pass: (signal: AbortSignal) => Promise<Instant>; clock: Clock; restMs: number }) {
    this.#pass = pass;
    this.#clock = clock;
    this.#restMs = restMs;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Something changed: run as soon as the present pass is over. */
  nudge(): void {
    this.#isNudged = true;
    this.#wake.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#isNudged = false;
      this.#wake = new AbortController();
      const wakeAt = await this.#pass(this.#stop.signal);
      const startedResting = this.#clock.now();
      await this.#clock.sleep(this.#restMs, this.#stop.signal);
      if (this.#isNudged) continue;
      const pause = Math.max(0, wakeAt - startedResting - this.#restMs);
      if (pause > 0)
        await this.#clock.sleep(
          Math.min(pause, 60_000),
          AbortSignal.any([this.#stop.signal, this.#wake.signal]),
        );
    }
  }
}
