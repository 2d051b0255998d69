import type { Instant } from '@switchback-ml/schemas';

/**
 * Since when a claim has been true without a break, for claims that carry no time of their own. One pass asks for
 * every claim that holds; `turn` ends the pass and forgets those that were not asked for.
 */
export class FirstSeen {
  #before: ReadonlyMap<string, Instant> = new Map();
  #now = new Map<string, Instant>();

  /** @param at what is remembered if the claim is new */
  since(claim: string, at: Instant): Instant {
    const since = this.#before.get(claim) ?? this.#now.get(claim) ?? at;
    this.#now.set(claim, since);
    return since;
  }

  turn(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }
}
