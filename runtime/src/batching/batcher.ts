import type { BackendLimits } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import type { Engine } from '../engine/engine.ts';
import { SwitchbackError } from '../error.ts';
import { Admission, type Queued, type Refusal } from './admission.ts';
import { Alarm } from './alarm.ts';
import type { CostCurve } from './cost.ts';
import { Crew, type Post } from './crew.ts';
import { Forecast } from './forecast.ts';
import type { Linger } from './linger.ts';
import { Outage } from './outage.ts';
import { Oversized } from './oversized.ts';
import { Queue } from './queue.ts';
import { notBegun, Request, rankOf, UNSTATED } from './request.ts';
import { type Again, runBatch } from './run.ts';
import { Shapes } from './shapes.ts';
import type { Ran, Work } from './work.ts';

/** Whoever waits is looked through for passed deadlines no oftener: so late a caller may be told of its own. */
const SWEEP_EVERY_MS = 10;

export interface BatcherOptions {
  limits: Pick<BackendLimits, 'maxBatch' | 'timeoutMs'>;
  /** Rows that may wait; beyond, E_OVERLOADED. One request of more rows than that is E_INPUT. */
  capacityRows: number;
  /** How long requests wait for an engine to be replaced. */
  outageMs: number;
  /** How many are kept for it, whether or not they are up. */
  engines: number;
  /** Whether the graph takes any number of rows. */
  isBatchable: boolean;
  /** The longest that an idle engine is kept idle for others to join a batch; 0: never. */
  waitMs: number;
  clock: Clock;
  onBatch: (rows: number) => void;
}

/** What a batcher knows, for people and metrics. */
export interface BatcherState {
  waitingRequests: number;
  waitingRows: number;
  /** Rows a second that would leave a long queue; null while not known. */
  drainPerSecond: number | null;
  cost: CostCurve | null;
  /** Of the newest batch that an idle engine got. */
  linger: Linger;
}

/**
 * The queue before one revision's engines. It outlives them: what waits while one is replaced goes to the next, what
 * was aboard fails with it.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #queue = new Queue<Request>();
  readonly #crew = new Crew();
  readonly #oversized = new Oversized();
  readonly #shapes = new Shapes();
  readonly #forecast: Forecast;
  readonly #admission: Admission;
  readonly #outage: Outage;
  readonly #alarm: Alarm;
  readonly #isWanted = ({ deadline, work }: Request): boolean => deadline > this.#now && !work.caller.isGone;
  /** Of this turn, by the clock's `elapsed`. */
  #now = 0;
  /** Batches. */
  #aboard = 0;
  /** Of requests that go together once more, so far; each is a lane of its own. */
  #groups = 0;
  #isScheduled = false;
  #sweptAt = 0;
  #isBatchable: boolean;
  #closed: SwitchbackError | null = null;
  #onIdle: (() => void)[] = [];

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#isBatchable = options.isBatchable;
    this.#forecast = new Forecast(options);
    this.#admission = new Admission(options.capacityRows);
    this.#outage = new Outage(options.outageMs);
    this.#alarm = new Alarm(options.clock, () => this.#ring());
  }

  /**
   * Answers with the outputs of these rows. Rejects with E_DEADLINE when they were not begun in time or for a caller
   * that is gone, with E_OVERLOADED, E_INPUT or E_MODEL_NOT_READY when they can't be taken, and with what the engine
   * said of them.
   */
  submit(work: Work): Promise<Ran> {
    const now = this.#options.clock.elapsed();
    const refusal = this.#refusal(work, now);
    if (refusal !== null) return Promise.reject(refusal);
    this.#forecast.arrived(work.rows, now);
    return work.rows > this.#options.limits.maxBatch && this.#isBatchable
      ? this.#submitInParts(work, now)
      : this.#enqueue(work, work.deadline - now, now);
  }

  /** Why one more request is not worth being read: null when it is to be submitted. */
  refusalUnread(): SwitchbackError | null {
    if (this.#queue.size === 0) return null;
    const now = this.#options.clock.elapsed();
    return this.#turnedAway(this.#admission.refusalUnread(this.#queued(now), now));
  }

  attach(seat: number, engine: Engine): void {
    this.#crew.attach(seat, engine);
    this.#outage.end();
    this.#schedule();
  }

  /** The engine is gone, or going. With the last one an outage begins. */
  detach(seat: number): void {
    this.#crew.detach(seat);
    if (this.#crew.size > 0 || this.#closed !== null) return;
    this.#outage.begin(this.#options.clock.elapsed());
    this.#alarm.set(this.#outage.patienceEndsAt!);
  }

  /** Resolves once nothing waits and nothing is aboard. */
  idle(): Promise<void> {
    return this.#isIdle() ? Promise.resolve() : new Promise(resolve => this.#onIdle.push(resolve));
  }

  /** Refuses from now on, what waits included. */
  close(reason: SwitchbackError): void {
    this.#closed = reason;
    this.#alarm.clear();
    this.#rejectWaiting(reason);
  }

  describe(): BatcherState {
    const drainPerMs = this.#forecast.drainPerMs(this.#crew.size);
    return {
      waitingRequests: this.#queue.size,
      waitingRows: this.#waitingRows(),
      drainPerSecond: drainPerMs === null ? null : drainPerMs * 1000,
      cost: this.#forecast.curve,
      linger: this.#forecast.linger,
    };
  }

  #refusal(work: Work, now: number): SwitchbackError | null {
    if (this.#closed !== null) return this.#closed;
    if (this.#outage.refusal !== null) return this.#outage.refusal;
    const { capacityRows, limits } = this.#options;
    const { rows, deadline } = work;
    if (rows > capacityRows)
      return new SwitchbackError(
        'E_INPUT',
        `The request has ${rows} rows, and ${capacityRows} may wait at a time: send them in several requests.`,
      );
    if (deadline <= now)
      return new SwitchbackError('E_DEADLINE', 'Its time was over when it came, so it was not begun.');
    const rank = rankOf(work);
    if (rank < UNSTATED) this.#admission.noticePriority(now);
    const queued = this.#queued(now);
    const nextRows = limits.maxBatch * Math.max(1, this.#crew.size);
    const rowsBefore = this.#queue.rowsBefore(rank);
    const question = { ...queued, rows, rowsBefore, nextRows, leftMs: deadline - now };
    return this.#turnedAway(this.#admission.refusal(question, now));
  }

  #queued(now: number): Queued {
    const { size } = this.#crew;
    return {
      waitingRows: this.#waitingRows(),
      queuedRows: this.#queue.rows,
      isOut: size === 0,
      busyRows: this.#forecast.busyRows(size),
      drainPerMs: this.#forecast.drainPerMsLately(size, now),
    };
  }

  /** When the queue begins to be kept short, the younger of what waits are told the same, unless they are urgent. */
  #turnedAway(refusal: Refusal | null): SwitchbackError | null {
    if (refusal === null) return null;
    if (refusal.keepsRows !== null) {
      let left = refusal.keepsRows;
      const stays = ({ rows, isUrgent }: Request): boolean => {
        if (rows > left && !isUrgent) return false;
        left -= rows;
        return true;
      };
      for (const { reject } of this.#queue.sweep(stays)) reject(refusal.error);
      this.#tellIdle();
    }
    return refusal.error;
  }

  /** Due as soon as whoever has `allowedMs`; who has more than one answer may take goes by that. */
  #enqueue(work: Work, allowedMs: number, now: number): Promise<Ran> {
    const due = now + Math.min(allowedMs, this.#options.limits.timeoutMs);
    const laneKey = work.alone || !this.#isBatchable ? null : this.#shapes.keyOf(work.inputs);
    return new Promise((resolve, reject) => {
      this.#queue.add(new Request(work, { laneKey, due, now }, resolve, reject));
      this.#schedule();
    });
  }

  /**
   * Parts are due as late as if their caller had just come. One engine alone may have a part running and one staged;
   * of several engines only one at a time holds any, so that a part which kills its engine kills no other.
   */
  async #submitInParts(work: Work, now: number): Promise<Ran> {
    const { clock, engines, limits } = this.#options;
    const allowedMs = work.deadline - now;
    try {
      return await this.#oversized.run(work, {
        partRows: limits.maxBatch,
        atOnce: engines === 1 && !work.alone ? 2 : 1,
        elapsed: () => clock.elapsed(),
        submit: part =>
          this.#closed === null
            ? this.#enqueue(part, allowedMs, clock.elapsed())
            : Promise.reject(this.#closed),
      });
    } finally {
      this.#tellIdle();
    }
  }

  /** At the end of this turn of the event loop, so that everything that arrived in it goes together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    this.#now = this.#options.clock.elapsed();
    for (let post = this.#crew.least(); post !== null && this.#queue.size > 0; post = this.#crew.least()) {
      if (this.#holdsBack(post)) break;
      const { batch, dropped } = this.#queue.nextBatch(this.#mostRows(), this.#isWanted);
      this.#turnAway(dropped);
      if (batch.length > 0) void this.#run(post, batch);
    }
    if (this.#queue.size > 0) this.#alarm.set(Math.max(this.#queue.soonest, this.#sweptAt + SWEEP_EVERY_MS));
    this.#tellIdle();
  }

  /** Whether more are to be waited for before this engine gets its next batch. */
  #holdsBack({ batches }: Post): boolean {
    const { rows, soonest } = this.#queue;
    const until = this.#forecast.holdsUntil(batches === 0, rows, soonest, this.#now);
    if (until !== null) this.#alarm.set(until);
    return until !== null;
  }

  #mostRows(): number {
    if (!this.#isBatchable) return 1;
    return this.#forecast.mostRows(this.#queue.rows, this.#crew.countIdle());
  }

  async #run(post: Post, batch: readonly Request[]): Promise<void> {
    const { clock, limits, onBatch } = this.#options;
    let rows = 0;
    for (const request of batch) rows += request.rows;
    onBatch(rows);
    this.#aboard++;
    const by = { sentAt: this.#now, timeoutMs: limits.timeoutMs, clock, forecast: this.#forecast };
    const again = await runBatch(post, batch, rows, by);
    this.#aboard--;
    if (again !== null) this.#tryAgain(again);
    this.#schedule();
  }

  #tryAgain({ groups, mixesRows }: Again): void {
    if (mixesRows) this.#isBatchable = false;
    for (const group of groups) {
      const laneKey = mixesRows || group.length === 1 ? null : `group ${++this.#groups}`;
      for (const request of group) {
        request.laneKey = laneKey;
        if (this.#closed === null) this.#queue.add(request);
        else request.reject(this.#closed);
      }
    }
  }

  /** What has come due: an outage that is too long, a deadline, the end of a wait for others. */
  #ring(): void {
    const now = this.#options.clock.elapsed();
    this.#now = now;
    const tooLong = this.#outage.tooLong(now);
    if (tooLong !== null) this.#rejectWaiting(tooLong);
    if (this.#outage.patienceEndsAt !== null) this.#alarm.set(this.#outage.patienceEndsAt);
    if (this.#queue.soonest <= now) {
      this.#sweptAt = now;
      this.#turnAway(this.#queue.sweep(this.#isWanted));
    }
    this.#dispatch();
  }

  #turnAway(dropped: readonly Request[]): void {
    for (const request of dropped) request.reject(notBegun(request, this.#now));
  }

  #rejectWaiting(error: SwitchbackError): void {
    for (const { reject } of this.#queue.sweep(() => false)) reject(error);
    this.#tellIdle();
  }

  #waitingRows(): number {
    return this.#queue.rows + this.#oversized.rows;
  }

  #isIdle(): boolean {
    return this.#queue.size === 0 && this.#aboard === 0 && this.#oversized.isIdle;
  }

  #tellIdle(): void {
    if (this.#onIdle.length > 0 && this.#isIdle()) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}
