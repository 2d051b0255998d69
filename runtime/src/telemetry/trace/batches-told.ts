/** Those who shared a batch are answered in one turn, so that a few batches are all that can be asked about again. */
const REMEMBERED = 256;

/** Which batches have a span already. */
export class BatchesTold {
  readonly #told = new Set<number>();

  /** Whether this is the first time that this batch is asked about. */
  isNew(batch: number): boolean {
    if (this.#told.has(batch)) return false;
    this.#told.add(batch);
    const [oldest] = this.#told;
    if (this.#told.size > REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
    return true;
  }
}
