import type { Clock } from '../clock.ts';
import type { Served } from './served.ts';
import { Tally } from './tally.ts';

/** Values of labels that no model and no version can have. */
export const OTHER = '_other';
export const NONE = '_none';
export const UNKNOWN = '_unknown';

/** Longer than a Prometheus remembers a series that is gone. */
const IDLE_MS = 15 * 60_000;

export interface TalliesOptions {
  clock: Clock;
  /** Versions of models with numbers of their own; what comes beyond is counted together, as `_other`. */
  most: number;
  /** Whether a model of this name is to be served: callers write names too. */
  isModel: (model: string) => boolean;
}

/** The numbers by model and version, bounded. */
export class Tallies {
  readonly #options: TalliesOptions;
  readonly #models = new Map<string, Map<string, Tally>>();
  readonly #other: Tally;
  #size = 0;
  #folded = 0;

  constructor(options: TalliesOptions) {
    this.#options = options;
    this.#other = new Tally(OTHER, OTHER, options.clock.now());
  }

  of(model: string, version: string): Tally {
    return this.#models.get(model)?.get(version) ?? this.#add(model, version);
  }

  /** A request that came to no version counts for its model, if there is such a model. */
  served(record: Served): void {
    const { model, backend } = record;
    const tally =
      backend !== null
        ? this.of(model, backend.version)
        : this.of(this.#options.isModel(model) ? model : UNKNOWN, NONE);
    tally.served(record, this.#options.clock.now());
  }

  /** Null: there are none yet. */
  find(model: string, version: string): Tally | null {
    return this.#models.get(model)?.get(version) ?? null;
  }

  /** How many times `_other` was counted for. */
  get folded(): number {
    return this.#folded;
  }

  *[Symbol.iterator](): Generator<Tally> {
    for (const versions of this.#models.values()) yield* versions.values();
    if (this.#folded > 0) yield this.#other;
  }

  /** Once there is no room left, forgets whoever had no request for long: to be called now and then. */
  makeRoom(): void {
    if (this.#size < this.#options.most) return;
    const since = this.#options.clock.now() - IDLE_MS;
    for (const [model, versions] of this.#models) {
      for (const [version, { lastAt }] of versions)
        if (lastAt < since) {
          versions.delete(version);
          this.#size--;
        }
      if (versions.size === 0) this.#models.delete(model);
    }
  }

  #add(model: string, version: string): Tally {
    if (this.#size >= this.#options.most) {
      this.#folded++;
      return this.#other;
    }
    const tally = new Tally(model, version, this.#options.clock.now());
    let versions = this.#models.get(model);
    if (versions === undefined) {
      versions = new Map();
      this.#models.set(model, versions);
    }
    versions.set(version, tally);
    this.#size++;
    return tally;
  }
}
