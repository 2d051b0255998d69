import { Alarm } from '../batching/alarm.ts';
import type { Clock } from '../clock.ts';
import { type Eviction, evict, type Sleeper } from './eviction.ts';
import { type Size, Sizes } from './sizes.ts';
import { LONG_WAIT_MS, URGENCIES, type Urgency } from './turns.ts';

/** Who waits behind so many others of its kind is not looked at yet. */
const LOOKED_AT = 16;
/** Who is pinned, busy or growing changes with time, and says so to nobody. */
const LOOK_EVERY_MS = 1000;

/** Whose engines live here. */
export interface Tenant {
  /** Percent of its route's requests. */
  readonly weight: number;
  /** How it stands, if it could be put to sleep at all; null: it has no engine that answers. */
  sleeper(bytes: number, now: number): Sleeper | null;
  /** At once takes no more requests to its engines, and ends them. */
  fallAsleep(): void;
}

export interface Entry extends Size {
  tenant: Tenant;
  urgency: Urgency;
  /** Only who is worth less makes room for it. */
  below: number;
  /** It may be the one that goes beyond the budget, rather than wait for what can't make room. */
  mayExceed: boolean;
}

/** A place for one engine. It is left by calling `leave`, in any case, and not before the engine is gone. */
export interface Place {
  /** It is there, and blank: what it holds; null: not known. */
  started(blankBytes: number | null): void;
  /** It is ready: what it holds, and how long that took from its turn to load. */
  loaded(warmBytes: number | null, tookMs: number): void;
  /** What it holds later. */
  measured(bytes: number): void;
  leave(): void;
}

export interface RoomState {
  budgetBytes: number;
  /** Of all engines, the spare one included: measured, or expected of those that load. */
  heldBytes: number;
  /** Times that a revision had to sleep for another. */
  evictions: number;
}

interface Waiting {
  entry: Entry;
  /** By the clock's `elapsed`. */
  since: number;
  give: (place: Place) => void;
}

interface Held {
  entry: Entry;
  /** Null: it is not loaded yet, and is expected to take what such graphs took by now. */
  measuredBytes: number | null;
  /** Asked to sleep, and not gone yet. */
  isLeaving: boolean;
}

/**
 * The memory that engines may hold together. An engine enters before it is started, and waits for others to fall asleep
 * where there is no room. At most one at a time may bring it beyond the budget.
 */
export class Room {
  readonly #clock: Clock;
  readonly #budgetBytes: number;
  readonly #waiting = new Map<Urgency, Waiting[]>();
  readonly #held = new Set<Held>();
  readonly #alarm: Alarm;
  readonly sizes = new Sizes();
  #isLooking = false;
  #isDue = false;
  #evictions = 0;
  /** When one was let in because it had waited too long. */
  #overtookAt = Number.NEGATIVE_INFINITY;
  /** When somebody who waits may have better luck; null: not known. */
  #until: number | null = null;

  constructor(budgetBytes: number, clock: Clock) {
    this.#budgetBytes = budgetBytes;
    this.#clock = clock;
    this.#alarm = new Alarm(clock, () => this.look());
  }

  get state(): RoomState {
    return { budgetBytes: this.#budgetBytes, heldBytes: this.#heldBytes(), evictions: this.#evictions };
  }

  /** When the next who waits may have room, by the clock's `elapsed`; null: not known. */
  get until(): number | null {
    return this.#until;
  }

  /** Whether nobody would have to sleep for it. */
  hasFree(bytes: number): boolean {
    return this.#heldBytes() + bytes <= this.#budgetBytes && !this.#isAwaited();
  }

  /** Waits for room, or until `signal` aborts; then what is resolved with holds nothing. */
  async enter(entry: Entry, signal: AbortSignal): Promise<Place> {
    if (signal.aborted) return NOWHERE;
    const turn = Promise.withResolvers<Place>();
    const waiting = { entry, since: this.#clock.elapsed(), give: turn.resolve };
    const queue = this.#queueOf(entry.urgency);
    const behind = queue.findLastIndex(other => other.entry.tenant.weight >= entry.tenant.weight);
    queue.splice(behind + 1, 0, waiting);
    const giveUp = (): void => {
      const at = queue.indexOf(waiting);
      if (at !== -1) queue.splice(at, 1);
      turn.resolve(NOWHERE);
      this.look();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    this.look();
    try {
      return await turn.promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Lets in who can be let in, and has others sleep for them. */
  look(): void {
    // Whoever falls asleep gives up what it waited for, and so comes here again.
    this.#isDue = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#isDue) {
      this.#isDue = false;
      this.#lookOnce(this.#clock.elapsed());
    }
    this.#isLooking = false;
    if (!this.#isAwaited()) return this.#alarm.clear();
    const soon = this.#clock.elapsed() + LOOK_EVERY_MS;
    this.#alarm.set(Math.min(this.#until ?? soon, soon));
  }

  #lookOnce(now: number): void {
    this.#until = null;
    let promised = 0;
    for (const waiting of this.#first(now)) {
      const isOverdue = this.#isOverdue(waiting, now);
      if (this.#isRoom(waiting.entry, promised)) this.#letIn(waiting);
      else if (this.#makeRoom(waiting.entry, promised, now))
        promised += this.sizes.expectedBytes(waiting.entry);
      else if (this.#mayExceed(isOverdue || waiting.entry.mayExceed, promised)) this.#letIn(waiting);
      else continue;
      if (isOverdue) this.#overtookAt = now;
    }
    this.#shrink(now);
  }

  /** Where others are asked all the time, nobody falls asleep for a new version. Requests have a patience of their own. */
  #isOverdue({ entry, since }: Waiting, now: number): boolean {
    return entry.urgency === 'first' && now - Math.max(since, this.#overtookAt) >= LONG_WAIT_MS;
  }

  #queueOf(urgency: Urgency): Waiting[] {
    let queue = this.#waiting.get(urgency);
    if (queue === undefined) {
      queue = [];
      this.#waiting.set(urgency, queue);
    }
    return queue;
  }

  #first(now: number): Waiting[] {
    const all = URGENCIES.flatMap(urgency => this.#waiting.get(urgency)?.slice(0, LOOKED_AT) ?? []);
    const overdue = all.find(waiting => this.#isOverdue(waiting, now));
    return overdue === undefined ? all : [overdue, ...all.filter(waiting => waiting !== overdue)];
  }

  #isAwaited(): boolean {
    return [...this.#waiting.values()].some(queue => queue.length > 0);
  }

  /** Alone, it may be larger than the budget. Of what nothing is known, the first is looked at before the next come. */
  #isRoom(entry: Entry, promised: number): boolean {
    if (this.#held.size === 0) return true;
    if (entry.knownBytes === null && !this.sizes.isBlankKnown) return false;
    return this.#heldBytes() + promised + this.sizes.expectedBytes(entry) <= this.#budgetBytes;
  }

  #mayExceed(may: boolean, promised: number): boolean {
    return may && promised === 0 && this.#heldBytes() <= this.#budgetBytes;
  }

  /** Whether there will be room once those are gone who were asked to. */
  #makeRoom(entry: Entry, promised: number, now: number): boolean {
    const staying = sumOf(this.#staying().values());
    const wanted = this.sizes.blankBytes + staying + promised + this.sizes.expectedBytes(entry);
    const missing = Math.min(staying, wanted - this.#budgetBytes);
    if (missing <= 0) return true;
    return this.#evict(missing, entry.below, entry.tenant, now).kind === 'sleep';
  }

  /** What has grown beyond the budget is met by others sleeping, if they can. */
  #shrink(now: number): void {
    const staying = this.#staying();
    const excess = this.sizes.blankBytes + sumOf(staying.values()) - this.#budgetBytes;
    if (excess > 0 && staying.size > 1) this.#evict(excess, Number.POSITIVE_INFINITY, null, now);
  }

  #evict(bytes: number, below: number, but: Tenant | null, now: number): Eviction<Candidate> {
    const found = evict({ bytes, below }, this.#candidates(but, now), now);
    if (found.kind === 'wait') {
      if (found.until !== null) this.#until = Math.min(this.#until ?? found.until, found.until);
      return found;
    }
    for (const { tenant } of found.all) {
      for (const held of this.#held) if (held.entry.tenant === tenant) held.isLeaving = true;
      this.#evictions++;
      tenant.fallAsleep();
    }
    return found;
  }

  #candidates(but: Tenant | null, now: number): Candidate[] {
    return [...this.#staying()].flatMap(([tenant, bytes]) => {
      const sleeper = tenant === but ? null : tenant.sleeper(bytes, now);
      return sleeper === null ? [] : [{ ...sleeper, tenant }];
    });
  }

  /** What each holds who was not asked to sleep. */
  #staying(): Map<Tenant, number> {
    const staying = new Map<Tenant, number>();
    for (const held of this.#held) {
      const { tenant } = held.entry;
      if (!held.isLeaving) staying.set(tenant, (staying.get(tenant) ?? 0) + this.#bytesOf(held));
    }
    return staying;
  }

  #letIn({ entry, give }: Waiting): void {
    const queue = this.#queueOf(entry.urgency);
    const at = queue.findIndex(waiting => waiting.entry === entry);
    // It gave up meanwhile.
    if (at === -1) return;
    queue.splice(at, 1);
    const held: Held = { entry, measuredBytes: null, isLeaving: false };
    this.#held.add(held);
    give({
      started: blankBytes => {
        this.sizes.learnBlank(blankBytes);
        this.look();
      },
      loaded: warmBytes => {
        if (warmBytes !== null) this.sizes.learn(entry, warmBytes);
        held.measuredBytes = warmBytes ?? this.sizes.expectedBytes(entry);
        this.look();
      },
      measured: bytes => {
        // One that is not loaded yet will take more than it does now.
        if (held.measuredBytes === null) return;
        const hasGrown = bytes > held.measuredBytes;
        held.measuredBytes = bytes;
        if (hasGrown) this.look();
      },
      leave: () => {
        if (this.#held.delete(held)) this.look();
      },
    });
  }

  #heldBytes(): number {
    let sum = this.sizes.blankBytes;
    for (const held of this.#held) sum += this.#bytesOf(held);
    return sum;
  }

  #bytesOf({ entry, measuredBytes }: Held): number {
    return measuredBytes ?? this.sizes.expectedBytes(entry);
  }
}

interface Candidate extends Sleeper {
  tenant: Tenant;
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

const NOWHERE: Place = { started: () => {}, loaded: () => {}, measured: () => {}, leave: () => {} };
