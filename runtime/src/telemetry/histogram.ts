/** Counts of values by size, as Prometheus and OTLP have them: a value belongs to the first bound that it is not above. */
export class Histogram {
  readonly bounds: Float64Array;
  /** Of each bucket alone; one more than bounds, for what is above all of them. */
  readonly counts: Float64Array;
  #sum = 0;

  /** `bounds` ascend. */
  constructor(bounds: Float64Array) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let index = 0;
    while (index < bounds.length && value > bounds[index]!) index++;
    counts[index]!++;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    let count = 0;
    for (const one of this.counts) count += one;
    return count;
  }
}
