import { Alarm } from '../batching/alarm.ts';
import type { Entering } from '../charge.ts';
import type { Clock } from '../clock.ts';
import type { WatchedEngine } from '../engine/watched.ts';
import { SwitchbackError } from '../error.ts';
import { Demand, worth } from './demand.ts';
import type { Sleeper } from './eviction.ts';
import type { Load } from './remembered-loads.ts';
import { Rest } from './rest.ts';
import type { Place, Room, Tenant } from './room.ts';
import type { Wakes } from './wakes.ts';

/** How long requests wait for a revision to wake: so many times what its last load took, and no less than this. */
const PATIENCE_LOADS = 4;
const LEAST_PATIENCE_MS = 10_000;
/** Who answered or was asked so shortly ago is not put to sleep. */
const QUIET_MS = 100;
/**
 * Who was woken for a request stays awake for so many times what that took, and no less than this. With a load of its
 * own that is less than their patience, so that who waits for its memory is woken in time.
 */
const AWAKE_LOADS = 2;
const LEAST_AWAKE_MS = 250;
/** That wait for one revision to wake: each holds its rows in memory. */
const MOST_WAITERS = 256;
/** Of a load that was not measured yet. */
const USUAL_LOAD_MS = 300;
/** Below this, what one load took and another did not is chance. */
const LEAST_LOAD_MS = 50;

/** How a revision stands in its route. */
export interface Standing {
  /** Percent of the requests. */
  weight: number;
  /** It is part of a rollout, or gets copies: it is not put to sleep. */
  isPinned: boolean;
}

export interface SlumberOptions {
  /** Of all revisions. */
  room: Room;
  wakes: Wakes;
  clock: Clock;
  /** Of the graph. */
  fileBytes: number;
  /** What its load took before a restart: it begins asleep; null: it is loaded at once. */
  remembered: Load | null;
  /** Requests have waited long enough for it to wake: they are to be told this. */
  onImpatient: (told: SwitchbackError) => void;
}

/** When one revision sleeps and wakes, what it takes to wake it, and what it is worth to have it awake. */
export class Slumber {
  readonly #options: SlumberOptions;
  readonly #rest: Rest;
  readonly #demand: Demand;
  readonly #patience: Alarm;
  #standing: Standing;
  /** It was ready and sleeps, or is being woken. */
  #isAsleep: boolean;
  /** Told when the waking that requests wait for is over; null: none wait. */
  #onWoken: ((loadMs: number | null) => void) | null = null;
  /** It wakes for nobody's sake, only because there is room. */
  #isIdle = false;
  /** The engine that it waits for has memory to start in. */
  #hasPlace = false;
  #load: Load | null;
  #awakeSince = 0;
  #wokeAt = Number.NEGATIVE_INFINITY;
  #awakeUntil = 0;

  constructor(standing: Standing, options: SlumberOptions) {
    const { clock, remembered } = options;
    this.#options = options;
    this.#standing = standing;
    this.#load = remembered;
    this.#isAsleep = remembered !== null;
    this.#rest = new Rest(!this.#isAsleep);
    this.#demand = new Demand(clock.elapsed());
    this.#patience = new Alarm(clock, () => this.#losePatience());
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** When it last ended to sleep, by the clock's `elapsed`; before all time: it never slept. */
  get wokeAt(): number {
    return this.#wokeAt;
  }

  /** Whether requests wait for it to wake. */
  get isAwaited(): boolean {
    return this.#onWoken !== null;
  }

  /** Of one engine; null: there was none yet. */
  get load(): Load | null {
    return this.#load;
  }

  /** Of one engine, as measured or from the size of its graph. */
  get expectedBytes(): number {
    const { room, fileBytes } = this.#options;
    return room.sizes.expectedBytes({ knownBytes: this.#load?.bytes ?? null, fileBytes });
  }

  /** Who is to get traffic now, or can't sleep any more, is woken ahead of its requests. */
  stand(standing: Standing): void {
    const { weight, isPinned } = this.#standing;
    this.#standing = standing;
    const isNews = (standing.weight > 0 && weight === 0) || (standing.isPinned && !isPinned);
    if (isNews && this.#isAsleep) this.wake();
  }

  /** On the way of each request. */
  asked(): void {
    this.#demand.asked();
  }

  /** Requests a second, lately. */
  perSecond(now: number): number {
    return this.#demand.perSecond(now);
  }

  /** Waits until it is to be awake, and resolves with what ends that; null: never again. */
  awake(): Promise<AbortSignal | null> {
    this.#hasPlace = false;
    return this.#rest.awake();
  }

  /** A request wants it awake, and so many wait already. Why it had better come again later; null: it may wait. */
  wakeForRequest(waiting: number): SwitchbackError | null {
    if (waiting >= MOST_WAITERS) return crowded();
    if (this.#onWoken !== null) return null;
    const { wakes, clock } = this.#options;
    const refusal = wakes.refusal();
    if (refusal !== null) return refusal;
    this.#onWoken = wakes.begin();
    this.wake();
    this.#patience.set(clock.elapsed() + Math.max(LEAST_PATIENCE_MS, PATIENCE_LOADS * this.#loadMs()));
    return null;
  }

  /** Others may have to sleep for it. One that was begun for nobody's sake waits behind all others: it begins again. */
  wake(): void {
    this.#isIdle = false;
    if (this.#rest.isAwake && !this.#hasPlace) this.#rest.sleep();
    this.#rest.wake();
  }

  /** Where there is room that nobody has to make. */
  wakeIdly(): void {
    if (!this.#isAsleep || this.#rest.isAwake) return;
    this.#isIdle = true;
    this.#rest.wake();
  }

  sleep(): void {
    this.#isAsleep = true;
    this.#rest.sleep();
  }

  /** An engine answers. */
  awoke(): void {
    this.#awakeSince = this.#options.clock.elapsed();
    if (this.#isAsleep) this.#wokeAt = this.#awakeSince;
    if (this.#onWoken !== null)
      this.#awakeUntil = this.#awakeSince + Math.max(LEAST_AWAKE_MS, AWAKE_LOADS * this.#loadMs());
    this.#isIdle = false;
    this.notAsleep(this.#loadMs());
  }

  /** Nobody waits for it to wake any more. @param loadMs null: since it did not, for now. */
  notAsleep(loadMs: number | null): void {
    this.#isAsleep = false;
    this.#stopWaiting(loadMs);
  }

  close(): void {
    this.#stopWaiting(null);
    this.#rest.close();
  }

  /** How it stands among those that could sleep, with these engines that answer; none: it could not. */
  sleeper(engines: readonly WatchedEngine[], isAsked: boolean, bytes: number, now: number): Sleeper | null {
    if (this.#isAsleep || engines.length === 0) return null;
    const perSecond = this.#demand.perSecond(now);
    const idleMs = Math.min(...engines.map(engine => engine.idleMs));
    const isBusy = isAsked || idleMs === 0;
    const quietAt = isBusy ? now + QUIET_MS : perSecond > 0 ? now + QUIET_MS - idleMs : 0;
    return {
      bytes,
      worth: worth(perSecond, this.#loadMs(), bytes),
      weight: this.#standing.weight,
      isPinned: this.#standing.isPinned,
      notBefore: Math.max(quietAt, this.#awakeUntil),
      awakeSince: this.#awakeSince,
    };
  }

  /** Memory for one more engine beside so many, and what it then really takes. */
  async enter(tenant: Tenant, engines: number, by: Entering, signal: AbortSignal): Promise<Place> {
    const { room } = this.#options;
    const entry = {
      tenant,
      urgency: by.urgency,
      knownBytes: this.#load?.bytes ?? null,
      fileBytes: this.#options.fileBytes,
      below: this.#mayDisplace(engines),
      mayExceed: this.#standing.isPinned || by.takesOver,
    };
    const place = await room.enter(entry, signal);
    this.#hasPlace = !signal.aborted;
    return {
      ...place,
      loaded: (warmBytes, tookMs) => {
        this.#load = { bytes: warmBytes ?? this.expectedBytes, ms: tookMs };
        place.loaded(warmBytes, tookMs);
      },
    };
  }

  /** Who is worth less has to sleep for it: anybody for the first engine; another one is for speed alone. */
  #mayDisplace(engines: number): number {
    if (this.#isIdle) return 0;
    if (engines === 0) return Number.POSITIVE_INFINITY;
    const perSecond = this.#demand.perSecond(this.#options.clock.elapsed());
    return worth(perSecond, this.#loadMs(), this.expectedBytes * (engines + 1));
  }

  /** A load that has begun goes on without those who waited; one that has no memory does not. */
  #losePatience(): void {
    if (this.#onWoken === null) return;
    const { wakes, room, clock, onImpatient } = this.#options;
    const soonestMs = room.until === null ? 0 : room.until - clock.elapsed();
    this.#stopWaiting(null);
    if (this.#isAsleep && !this.#hasPlace) this.#rest.sleep();
    onImpatient(wakes.turnAway(Math.max(this.#loadMs(), soonestMs)));
  }

  #stopWaiting(loadMs: number | null): void {
    this.#onWoken?.(loadMs);
    this.#onWoken = null;
    this.#patience.clear();
  }

  #loadMs(): number {
    return Math.max(LEAST_LOAD_MS, this.#load?.ms ?? USUAL_LOAD_MS);
  }
}

function crowded(): SwitchbackError {
  return new SwitchbackError(
    'E_OVERLOADED',
    `${MOST_WAITERS} requests wait already for this version to wake: try again later, or with fewer callers.`,
  );
}
