import { SwitchbackError } from '../error.ts';
import { Standing } from './standing.ts';

/** Nobody is sent away for longer. */
const LONGEST_RETRY_MS = 60_000;
/** So long is a stated priority remembered: meanwhile requests are read before they are turned away. */
const PRIORITY_MEMORY_MS = 60_000;
/** Of those that could be turned away unread, every so-manieth is read, or a priority would never be noticed. */
const READ_EVERY = 64;
/** So long the same is told to all: a refusal costs more to word than to send. */
const SAME_FOR_MS = 50;

export interface Queued {
  /** Rows of whatever was let in and is not begun. */
  waitingRows: number;
  /** Those of them that can be begun; the others are of requests that run in parts. */
  queuedRows: number;
  /** That keep the engines busy: no queue need be longer for that. */
  busyRows: number;
  /** No engine is there to take any: what waits says nothing of how much is asked. */
  isOut: boolean;
  /** Rows that leave the queue in a millisecond; null where that is not known, and then nothing is foretold. */
  drainPerMs: number | null;
}

export interface AdmissionQuestion extends Queued {
  /** Of the newcomer. */
  rows: number;
  /** Of those queued, that go before the newcomer. */
  rowsBefore: number;
  /** That the engines take at the next opportunity: who is among them does not wait in any way that can be foretold. */
  nextRows: number;
  /** Until the newcomer's deadline. */
  leftMs: number;
}

/** Who is told at once that there is no room, rather than after a wait. Times are by the clock's `elapsed`. */
export class Admission {
  readonly #capacityRows: number;
  readonly #standing = new Standing();
  #prioritySeenAt = Number.NEGATIVE_INFINITY;
  #unread = 0;
  #told: { error: SwitchbackError; isShort: boolean; at: number } | null = null;

  /** `capacityRows`: that may wait. */
  constructor(capacityRows: number) {
    this.#capacityRows = capacityRows;
  }

  noticePriority(now: number): void {
    this.#prioritySeenAt = now;
  }

  /** Why a newcomer is not let in; null when it is. */
  refusal(question: AdmissionQuestion, now: number): Refusal | null {
    const { rows, waitingRows, rowsBefore, nextRows, busyRows, drainPerMs, leftMs } = question;
    if (waitingRows + rows > this.#capacityRows) return this.#noRoom(question, now);
    if (rowsBefore >= busyRows && this.#standing.holds(now)) return this.#noRoom(question, now);
    if (drainPerMs === null || rowsBefore < nextRows) return null;
    const waitMs = rowsBefore / drainPerMs;
    if (waitMs <= leftMs) return null;
    const message = `${rowsBefore} rows go before it, which takes about ${Math.round(waitMs)} ms, and it has ${Math.round(leftMs)} ms left: try again later, or with fewer callers.`;
    return { error: overloaded(question, message), keepsRows: null };
  }

  /** Why one more is not even read, of which nothing is known; null when it shall be. */
  refusalUnread(queued: Queued, now: number): Refusal | null {
    const { waitingRows, queuedRows, busyRows } = queued;
    const hasRoom = waitingRows < this.#capacityRows && (queuedRows < busyRows || !this.#standing.holds(now));
    if (hasRoom || now - this.#prioritySeenAt < PRIORITY_MEMORY_MS) return null;
    this.#unread = (this.#unread + 1) % READ_EVERY;
    return this.#unread === 0 ? null : this.#noRoom(queued, now);
  }

  #noRoom(queued: Queued, now: number): Refusal {
    const keepsRows = !queued.isOut && this.#standing.refused(now) ? queued.busyRows : null;
    const isShort = this.#standing.holds(now);
    const told = this.#told;
    const isSame = told !== null && told.isShort === isShort && now - told.at < SAME_FOR_MS;
    const error = isSame ? told.error : overloaded(queued, this.#wording(queued, isShort));
    if (!isSame) this.#told = { error, isShort, at: now };
    return { error, keepsRows };
  }

  #wording({ waitingRows, queuedRows, busyRows }: Queued, isShort: boolean): string {
    return isShort
      ? `More is asked than can be done, so no more than ${busyRows} rows may wait, and ${queuedRows} do: try again later, or with fewer callers.`
      : `${waitingRows} rows wait already and ${this.#capacityRows} may: try again later, or with fewer callers.`;
  }
}

export interface Refusal {
  error: SwitchbackError;
  /** How many of the waiting rows may stay, where the queue is to be kept short from now on; null: all. */
  keepsRows: number | null;
}

function overloaded({ waitingRows, drainPerMs }: Queued, message: string): SwitchbackError {
  if (drainPerMs === null) return new SwitchbackError('E_OVERLOADED', message);
  const retryAfterMs = Math.max(1, Math.min(LONGEST_RETRY_MS, Math.ceil(waitingRows / drainPerMs)));
  return new SwitchbackError('E_OVERLOADED', message, { details: { retryAfterMs } });
}
