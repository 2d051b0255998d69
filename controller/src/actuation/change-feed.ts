import type { RuntimeChange } from './actuation.ts';

/** More than these are not kept for a reader that never comes; the oldest go first. */
const KEPT_AT_MOST = 1000;

/** What happened since it was last asked for, and who wants to know at once. */
export class ChangeFeed {
  #changes: RuntimeChange[] = [];
  readonly #listeners: (() => void)[] = [];

  add(change: RuntimeChange): void {
    this.#changes.push(change);
    if (this.#changes.length > KEPT_AT_MOST) this.#changes.shift();
    this.notify();
  }

  /** For what shows in the observed state alone. */
  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  drain(): RuntimeChange[] {
    const drained = this.#changes;
    this.#changes = [];
    return drained;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#listeners.length = 0;
  }
}
