/** Between two powers of two: so a value is known to within 0.8 %. */
const STEPS = 128;
const POWERS = 40;

/**
 * Counts of values in buckets whose width grows with the value, so that a microsecond and a minute are both known to
 * the same share. Any unit, values from nought to 2^32.
 */
export class Histogram {
  readonly #counts = new Float64Array(STEPS * (POWERS + 1));
  #total = 0;
  #largest = 0;

  record(value: number): void {
    const bounded = Math.max(0, value);
    this.#counts[indexOf(bounded)]! += 1;
    this.#total += 1;
    this.#largest = Math.max(this.#largest, bounded);
  }

  get total(): number {
    return this.#total;
  }

  get largest(): number {
    return this.#largest;
  }

  add(other: Histogram): void {
    for (const [index, count] of other.#counts.entries()) this.#counts[index]! += count;
    this.#total += other.#total;
    this.#largest = Math.max(this.#largest, other.#largest);
  }

  /** The value that this share, 0 to 1, does not exceed; the largest where it is 1. NaN where nothing was recorded. */
  quantile(share: number): number {
    if (this.#total === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return Math.min(middleOf(index), this.#largest);
    }
    return this.#largest;
  }
}

/** Below STEPS each whole number has a bucket of its own. */
function indexOf(value: number): number {
  if (value < STEPS) return Math.floor(value);
  const power = Math.floor(Math.log2(value / STEPS));
  const step = Math.floor(value / 2 ** power) - STEPS;
  return Math.min(STEPS * (power + 1) + step, STEPS * (POWERS + 1) - 1);
}

function middleOf(index: number): number {
  if (index < STEPS) return index + 0.5;
  const power = Math.floor(index / STEPS) - 1;
  return (STEPS + (index % STEPS) + 0.5) * 2 ** power;
}
