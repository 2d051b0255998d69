import type { BackendLimits } from '@switchback-ml/schemas';
import { Arrivals } from './arrivals.ts';
import { type CostCurve, Costs } from './cost.ts';
import { type Linger, linger } from './linger.ts';
import { learnPace, rowsForOne, rowsInTime, stagesEarly } from './pace.ts';

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
    if (this.#options.waitMs > 0) this.#arrivals.answered(now);
    this.#msPerRow = learnPace(this.#msPerRow, rows, tookMs, this.curve?.fixedMs ?? 0);
  }

  /** For the next batch. */
  mostRows(waitingRows: number, idleEngines: number): number {
    const { maxBatch, timeoutMs } = this.#options.limits;
    const { curve } = this;
    const inTime = rowsInTime(this.#msPerRow, timeoutMs, maxBatch, curve?.fixedMs ?? 0);
    return Math.min(inTime, rowsForOne(waitingRows, idleEngines, curve));
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
    const { limits, waitMs } = this.#options;
    const { maxBatch } = limits;
    const { curve } = this;
    if (!isEngineIdle) return rows < maxBatch && !stagesEarly(curve) ? Number.POSITIVE_INFINITY : null;
    if (waitMs <= 0) return null;
    if (this.#lingersUntil === null) {
      const rowsPerMs = this.#arrivals.perMs(rows, now);
      const leftMs = soonest - now;
      this.#linger = linger({ mostMs: waitMs, rows, mostRows: maxBatch, rowsPerMs, curve, leftMs });
      this.#lingersUntil = now + this.#linger.ms;
    }
    const until = this.#lingersUntil;
    if (until > now && rows < maxBatch) return until;
    this.#lingersUntil = null;
    return null;
  }
}
