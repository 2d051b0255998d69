/** Lets so many through in each second of the clock. */
export class PerSecond {
  readonly #most: number;
  #second = Number.NaN;
  #passed = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** `now` in ms. */
  passes(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#passed = 0;
    }
    if (this.#passed >= this.#most) return false;
    this.#passed++;
    return true;
  }
}
