/** What a batch of n rows takes: fixedMs + perRowMs * n. */
export interface CostCurve {
  fixedMs: number;
  perRowMs: number;
}

/** Of each batch's weight, kept at the next: half of it is gone after 23 batches. */
const MEMORY = 0.97;
/** Before that nothing is said. */
const FIRST_BATCHES = 8;
/** A batch counts as no slower than so many times what was expected: a single hiccup proves nothing. */
const MOST_TIMES = 4;
/** Squared standard deviation of the batch sizes over their squared mean: below it, sizes say nothing of the slope. */
const LEAST_SPREAD = 0.05;
/** Idle for longer than this and several batches, what was learned may be of another time. */
const FRESH_MS = 1000;
const FRESH_BATCHES = 10;

/**
 * Learns the cost curve of one revision by least squares over its last batches. It forgets by batches, so that it
 * follows a machine that becomes slower within some dozens of them, and after an idle time `isFresh` says that it
 * knows nothing.
 */
export class Costs {
  #first: { rows: number; ms: number }[] | null = [];
  #weight = 0;
  #rows = 0;
  #ms = 0;
  #rowsRows = 0;
  #rowsMs = 0;
  #learnedAt = Number.NEGATIVE_INFINITY;

  /** One more answered batch. `now` by the clock's `elapsed`. */
  learn(rows: number, ms: number, now: number): void {
    this.#learnedAt = now;
    if (this.#first === null) return this.#add(rows, Math.min(ms, MOST_TIMES * this.#expected(rows)));
    this.#first.push({ rows, ms });
    if (this.#first.length < FIRST_BATCHES) return;
    const usual = this.#first.map(batch => batch.ms).toSorted((a, b) => a - b)[FIRST_BATCHES / 2]!;
    for (const batch of this.#first) this.#add(batch.rows, Math.min(batch.ms, MOST_TIMES * usual));
    this.#first = null;
  }

  /** Null while too little is known: too few batches, or all of about one size. */
  get curve(): CostCurve | null {
    if (this.#first !== null) return null;
    const rows = this.#rows / this.#weight;
    const ms = this.#ms / this.#weight;
    const variance = this.#rowsRows / this.#weight - rows * rows;
    if (variance < LEAST_SPREAD * rows * rows) return null;
    const slope = (this.#rowsMs / this.#weight - rows * ms) / variance;
    if (slope <= 0) return { fixedMs: ms, perRowMs: 0 };
    const fixedMs = ms - slope * rows;
    return fixedMs >= 0
      ? { fixedMs, perRowMs: slope }
      : { fixedMs: 0, perRowMs: this.#rowsMs / this.#rowsRows };
  }

  /** Milliseconds; null while too few batches are known. Without a curve, as if rows cost nothing. */
  expectedMs(rows: number): number | null {
    return this.#first === null ? this.#expected(rows) : null;
  }

  /** Whether batches of so many rows were answered lately enough to foretell anything. */
  isFresh(rows: number, now: number): boolean {
    const batchMs = this.expectedMs(rows);
    return batchMs !== null && now - this.#learnedAt <= FRESH_MS + FRESH_BATCHES * batchMs;
  }

  #expected(rows: number): number {
    const { curve } = this;
    return curve === null ? this.#ms / this.#weight : curve.fixedMs + curve.perRowMs * rows;
  }

  #add(rows: number, ms: number): void {
    this.#weight = this.#weight * MEMORY + 1;
    this.#rows = this.#rows * MEMORY + rows;
    this.#ms = this.#ms * MEMORY + ms;
    this.#rowsRows = this.#rowsRows * MEMORY + rows * rows;
    this.#rowsMs = this.#rowsMs * MEMORY + rows * ms;
  }
}
