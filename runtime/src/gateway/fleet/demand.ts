/** What callers ask for under one name. */
export interface Demand {
  /** Whether some runtime answered it the last time. */
  isServed: boolean;
}

/** In one environment: callers write the names. */
const MOST_REMEMBERED = 4096;
const LONGEST_REMEMBERED = 256;

/**
 * What was asked for in one environment, by its name. Names that nobody serves, of which anybody can write as many as
 * they like, do not make those forgotten that are served.
 */
export class Demands {
  readonly #all = new Map<string, Demand>();

  /** `name`: a model or version, or a path where none is named. */
  of(name: string): Demand {
    const known = this.#all.get(name);
    if (known !== undefined) return known;
    const demand = { isServed: false };
    if (name.length > LONGEST_REMEMBERED) return demand;
    if (this.#all.size >= MOST_REMEMBERED) this.#forget();
    this.#all.set(name, demand);
    return demand;
  }

  #forget(): void {
    for (const [name, { isServed }] of this.#all) if (!isServed) this.#all.delete(name);
    if (this.#all.size < MOST_REMEMBERED) return;
    const [oldest] = this.#all.keys();
    this.#all.delete(oldest!);
  }
}
