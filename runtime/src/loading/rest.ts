/**
 * Whether a revision is to have engines now. It is asked from outside, and obeyed by whoever keeps them: each time
 * awake has a signal that ends it.
 */
export class Rest {
  #awake: AbortController | null;
  #isClosed = false;
  #onWoken: () => void = () => {};

  constructor(isAwake: boolean) {
    this.#awake = isAwake ? new AbortController() : null;
  }

  get isAwake(): boolean {
    return this.#awake !== null;
  }

  wake(): void {
    if (this.#isClosed || this.#awake !== null) return;
    this.#awake = new AbortController();
    this.#onWoken();
  }

  sleep(): void {
    this.#awake?.abort();
    this.#awake = null;
  }

  /** For good. */
  close(): void {
    this.#isClosed = true;
    this.sleep();
    this.#onWoken();
  }

  /** Waits until it is to be awake, and resolves with what ends that; null: never again. */
  async awake(): Promise<AbortSignal | null> {
    if (this.#awake === null && !this.#isClosed)
      await new Promise<void>(resolve => {
        this.#onWoken = resolve;
      });
    return this.#awake?.signal ?? null;
  }
}
