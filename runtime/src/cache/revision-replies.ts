import type { CachePolicy } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';
import type { Found, MakeReply, ModelCounts, RevisionReport } from './cache.ts';
import { Flight } from './flight.ts';
import type { FarStore, Lookup, NearShelf, NearStore, Shelf, ShelfLabel } from './store.ts';
import { EVEN_ODDS, type Experience, explainWorth, learn, type Mean, UNMEASURED, worthOf } from './worth.ts';

/** How many samples a mean remembers. */
const COST_MEMORY = 64;
const ROUND_TRIP_MEMORY = 64;
const KNOWN_MEMORY = 256;
/** Of 256 names, those that go on being written and asked for where asking does not pay. */
const SAMPLED_NAMES = 16;
/** Those who wait for an equal request do so for a few times of what an answer takes. */
const PATIENCE_COSTS = 4;
const LEAST_PATIENCE_MS = 10;
const MOST_PATIENCE_MS = 1000;
const UNMEASURED_PATIENCE_MS = 100;
/** Failures that the request itself may have caused, or that each of its like would meet now. */
const TELLING = new Set([
  'E_INPUT',
  'E_BODY',
  'E_ENGINE_DIED',
  'E_ENGINE_TIMEOUT',
  'E_ENGINE_MEMORY',
  'E_OVERLOADED',
]);

/** What all revisions have together of the second level. */
export interface SecondLevel {
  readonly store: FarStore;
  roundTripMs: Mean;
  /** A question that no request waits for; one at a time. */
  beside: Promise<void> | null;
}

export interface RevisionRepliesOptions {
  label: ShelfLabel;
  policy: CachePolicy;
  clock: Clock;
  /** Of its model, counted on. */
  counts: ModelCounts;
  near: NearStore;
  second: SecondLevel | null;
}

/** The answers of one revision, in both levels, and those being made. */
export class RevisionReplies {
  readonly #options: RevisionRepliesOptions;
  readonly #near: NearShelf;
  readonly #far: Shelf | null;
  readonly #flights = new Map<string, Flight<Found>>();
  #costMs: Mean = UNMEASURED;
  #knownRatio: Mean = EVEN_ODDS;

  constructor(options: RevisionRepliesOptions) {
    const { label, policy, counts, near, second } = options;
    this.#options = options;
    this.#near = near.shelf(label, policy, counts);
    this.#far = second === null ? null : second.store.shelf(label, policy, counts);
  }

  get digest(): string {
    return this.#options.label.digest;
  }

  through(name: string, make: MakeReply): Found | Promise<Found | null> {
    const known = this.#near.find(name);
    if (known.kind === 'known') {
      this.#options.counts.memoryHits++;
      return known;
    }
    const flight = this.#flights.get(name);
    if (flight === undefined) return this.#lead(name, make);
    return flight.hasSeat ? this.#follow(flight, name, make) : this.#make(name, make);
  }

  close(): void {
    this.#near.close();
  }

  describe(): RevisionReport {
    const { label, second } = this.#options;
    const { bytes, entries } = this.#near.describe();
    return {
      revision: label.revision,
      bytes,
      entries,
      costMs: this.#costMs.samples === 0 ? null : this.#costMs.value,
      far: second && describeWorth(this.#experience(second)),
    };
  }

  #lead(name: string, make: MakeReply): Promise<Found | null> {
    const flight = new Flight<Found>({
      clock: this.#options.clock,
      patienceMs: this.#patienceMs(),
      isTelling,
      onOver: () => this.#flights.delete(name),
    });
    this.#flights.set(name, flight);
    return flight.fly(() => this.#seek(name, make));
  }

  async #follow(flight: Flight<Found>, name: string, make: MakeReply): Promise<Found | null> {
    const landed = await flight.join(() => this.#make(name, make));
    if (landed === null || !landed.isShared) return landed?.value ?? null;
    this.#options.counts.shared++;
    return { reply: landed.value.reply, from: 'shared' };
  }

  #seek(name: string, make: MakeReply): Promise<Found | null> {
    const { second } = this.#options;
    if (second === null || this.#far === null) return this.#make(name, make);
    if (worthOf(this.#experience(second)) === 'pays') return this.#askFirst(second, this.#far, name, make);
    if (second.roundTripMs.samples === 0 || isSampled(name)) this.#askBeside(second, this.#far, name);
    return this.#make(name, make);
  }

  async #askFirst(second: SecondLevel, far: Shelf, name: string, make: MakeReply): Promise<Found | null> {
    const lookup = await this.#ask(second, far, name);
    if (lookup.kind !== 'known') return this.#make(name, make);
    const { clock, counts, policy } = this.#options;
    counts.farHits++;
    this.#near.keep(name, lookup.reply, Math.min(lookup.until, clock.elapsed() + policy.forMs));
    return { reply: lookup.reply, from: 'redis' };
  }

  #askBeside(second: SecondLevel, far: Shelf, name: string): void {
    second.beside ??= this.#ask(second, far, name).then(() => {
      second.beside = null;
    });
  }

  /** Asks and learns from it. Never rejects, as the store does not. */
  async #ask(second: SecondLevel, far: Shelf, name: string): Promise<Lookup> {
    const { clock } = this.#options;
    const began = clock.elapsed();
    const asked = far.find(name);
    if (!(asked instanceof Promise)) return asked;
    const lookup = await asked;
    const tookMs = clock.elapsed() - began;
    // What failed at once would make it look quick.
    const sampleMs = lookup.kind === 'failed' ? Math.max(tookMs, second.roundTripMs.value) : tookMs;
    second.roundTripMs = learn(second.roundTripMs, sampleMs, ROUND_TRIP_MEMORY);
    if (lookup.kind !== 'failed' && this.#isWritten(second, name))
      this.#knownRatio = learn(this.#knownRatio, lookup.kind === 'known' ? 1 : 0, KNOWN_MEMORY);
    return lookup;
  }

  async #make(name: string, make: MakeReply): Promise<Found | null> {
    const { clock, counts, policy, second } = this.#options;
    counts.misses++;
    const began = clock.elapsed();
    const reply = await make();
    if (reply === null) {
      counts.notKept++;
      return null;
    }
    const now = clock.elapsed();
    this.#costMs = learn(this.#costMs, now - began, COST_MEMORY);
    this.#near.keep(name, reply, now + policy.forMs);
    if (second !== null && this.#isWritten(second, name)) this.#far?.keep(name, reply, now + policy.forMs);
    return { reply, from: 'made' };
  }

  #isWritten(second: SecondLevel, name: string): boolean {
    const worth = worthOf(this.#experience(second));
    return worth === 'pays' || (worth === 'seldom-known' && isSampled(name));
  }

  #experience({ roundTripMs }: SecondLevel): Experience {
    return { costMs: this.#costMs, knownRatio: this.#knownRatio, roundTripMs };
  }

  #patienceMs(): number {
    if (this.#costMs.samples === 0) return UNMEASURED_PATIENCE_MS;
    return Math.min(MOST_PATIENCE_MS, Math.max(LEAST_PATIENCE_MS, PATIENCE_COSTS * this.#costMs.value));
  }
}

function describeWorth(experience: Experience): RevisionReport['far'] {
  const why = worthOf(experience);
  return { isAsked: why === 'pays', why, reason: explainWorth(experience) };
}

/** By the last letter of its hash: the same names in every process. */
function isSampled(name: string): boolean {
  return name.charCodeAt(name.length - 1) < SAMPLED_NAMES;
}

function isTelling(error: unknown): boolean {
  return error instanceof SwitchbackError && TELLING.has(error.code);
}
