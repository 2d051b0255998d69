import type { BackendLimits } from '@switchback-ml/schemas';
import { Arrivals } from './arrivals.ts';
import { type CostCurve, Costs } from './cost.ts';
import { type Linger, linger } from './linger.ts';
import { learnPace, rowsForOne, rowsInTime, rowsThatPay, stagesEarly } from './pace.ts';

/**
 * Of a batch's time, that its own cost may take: in one that counts as full, in one that a short queue makes, and in
 * one that need not wait for others while the engine is busy.
 */
const FULL_SHARE = 0.02;
const SHORT_SHARE = 0.1;
const STAGED_SHARE = 0.25;
/**
 * Two batches are aboard besides, so that a queue of more work than this keeps nobody busier. A machine that is asked
 * for too much has each batch seem dearer than it is, and so would have the queue grow.
 */
const MOST_BUSY_MS = 4;
const LEAST_BUSY_ROWS = 2;

export interface ForecastOptions {
  limits: Pick<BackendLimits, 'maxBatch' | 'timeoutMs'>;
  /** The longest that an idle engine is kept idle for others to join a batch; 0: never. */
  waitMs: number;
}

/** What the last batches and arrivals of one revision say of the next. Times are by the clock's `elapsed`. */
export class Forecast {
  readonly #options: ForecastOptions;
  readonly #costs = new Costs();
  readonly #arrivals: Arrivals;
  #msPerRow = 0;
  /** The last that was known: batches of one size tell nothing, and need not be told again. */
  #lastCurve: CostCurve | null = null;
  /** Decided once for a batch. */
  #lingersUntil: number | null = null;
  #linger: Linger = { ms: 0, why: 'off' };

  constructor(options: ForecastOptions) {
    this.#options = options;
    this.#arrivals = new Arrivals(options.waitMs);
  }

  get curve(): CostCurve | null {
    return this.#costs.curve;
  }

  /** What was decided for the newest batch that an idle engine got. */
  get linger(): Linger {
    return this.#linger;
  }

  arrived(rows: number, now: number): void {
    if (this.#options.waitMs > 0) this.#arrivals.arrived(rows, now);
  }

  answered(rows: number, tookMs: number, now: number): void {
    this.#costs.learn(rows, tookMs, now);
    this.#lastCurve = this.#costs.curve ?? this.#lastCurve;
    if (this.#options.waitMs > 0) this.#arrivals.answered(now);
    this.#msPerRow = learnPace(this.#msPerRow, rows, tookMs, this.curve?.fixedMs ?? 0);
  }

  /** For the next batch. */
  mostRows(waitingRows: number, idleEngines: number): number {
    const { timeoutMs } = this.#options.limits;
    const { curve } = this;
    const inTime = rowsInTime(this.#msPerRow, timeoutMs, this.#fullRows(), curve?.fixedMs ?? 0);
    return Math.min(inTime, rowsForOne(waitingRows, idleEngines, curve));
  }

  /** That keep so many engines busy while they wait: no queue need be longer for that. */
  busyRows(engines: number): number {
    const paying = rowsThatPay(this.#lastCurve, SHORT_SHARE, this.#options.limits.maxBatch);
    const perRowMs = this.#lastCurve?.perRowMs ?? 0;
    const most = perRowMs > 0 ? Math.max(LEAST_BUSY_ROWS, Math.floor(MOST_BUSY_MS / perRowMs)) : paying;
    return Math.min(paying, most) * Math.max(1, engines);
  }

  /** Rows that leave a long queue in a millisecond, in full batches to each engine; null while not known. */
  drainPerMs(engines: number): number | null {
    const { maxBatch } = this.#options.limits;
    const batchMs = this.#costs.expectedMs(maxBatch);
    return batchMs === null ? null : (maxBatch * Math.max(1, engines)) / Math.max(batchMs, 0.001);
  }

  /** The same, or null where the last batch is so long ago that nothing should be refused by it. */
  drainPerMsLately(engines: number, now: number): number | null {
    return this.#costs.isFresh(this.#options.limits.maxBatch, now) ? this.drainPerMs(engines) : null;
  }

  /** Until when more are to be waited for before an engine gets its next batch: null for no longer. */
  holdsUntil(isEngineIdle: boolean, rows: number, soonest: number, now: number): number | null {
    const { waitMs } = this.#options;
    const { curve } = this;
    if (!isEngineIdle) return this.#stages(rows) ? null : Number.POSITIVE_INFINITY;
    const fullRows = this.#fullRows();
    if (waitMs <= 0) return null;
    if (this.#lingersUntil === null) {
      const rowsPerMs = this.#arrivals.perMs(rows, now);
      const leftMs = soonest - now;
      this.#linger = linger({ mostMs: waitMs, rows, mostRows: fullRows, rowsPerMs, curve, leftMs });
      this.#lingersUntil = now + this.#linger.ms;
    }
    const until = this.#lingersUntil;
    if (until > now && rows < fullRows) return until;
    this.#lingersUntil = null;
    return null;
  }

  /** Whether these rows go behind a running batch at once, so that the engine need not wait for us. */
  #stages(rows: number): boolean {
    const { maxBatch } = this.#options.limits;
    return stagesEarly(this.curve) || rows >= rowsThatPay(this.#lastCurve, STAGED_SHARE, maxBatch);
  }

  /** Of a batch to which more rows would add waiting and next to no speed. */
  #fullRows(): number {
    return rowsThatPay(this.#lastCurve, FULL_SHARE, this.#options.limits.maxBatch);
  }
}
