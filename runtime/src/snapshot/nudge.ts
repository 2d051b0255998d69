/** Lets one part of the process end another's rest. Nudging where nobody rests does nothing. */
export class Nudge {
  #next = new AbortController();

  /** Aborts at the next nudge. */
  signal(): AbortSignal {
    return this.#next.signal;
  }

  nudge(): void {
    const nudged = this.#next;
    this.#next = new AbortController();
    nudged.abort();
  }
}
