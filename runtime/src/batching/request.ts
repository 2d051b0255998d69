import { SwitchbackError } from '../error.ts';
import { Waiting } from './queue.ts';
import type { Ran, Work } from './work.ts';

/** One piece of work that waits or is aboard, and whom to tell. */
export class Request extends Waiting {
  readonly work: Work;
  /** By the clock's `elapsed`. */
  readonly arrivedAt: number;
  readonly resolve: (ran: Ran) => void;
  readonly reject: (error: SwitchbackError) => void;

  constructor(
    work: Work,
    by: { laneKey: string | null; due: number; now: number },
    resolve: (ran: Ran) => void,
    reject: (error: SwitchbackError) => void,
  ) {
    super(by.laneKey, work.rows, rankOf(work), by.due, work.deadline);
    this.work = work;
    this.arrivedAt = by.now;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** Whether it goes before those that state no priority. */
  get isUrgent(): boolean {
    return this.rank < UNSTATED;
  }
}

/** Of whoever states no priority. */
export const UNSTATED = Number.MAX_SAFE_INTEGER;

/** A priority of 0, or one that is none, goes after all that are stated; an infinite one, which nobody waits for, last. */
export function rankOf({ priority }: Work): number {
  return priority >= 1 ? Math.trunc(priority) : UNSTATED;
}

/** Told to whoever is not begun any more. */
export function notBegun({ work, arrivedAt }: Request, now: number): SwitchbackError {
  if (work.caller.isGone)
    return new SwitchbackError('E_DEADLINE', 'Its caller is gone, so it was not begun.', {
      details: { isCallerGone: true },
    });
  const waitedMs = Math.round(now - arrivedAt);
  const allowedMs = Math.round(work.deadline - arrivedAt);
  const message = `It waited ${waitedMs} ms, longer than the ${allowedMs} ms the request may take, so it was not begun: ask with more time, or less often.`;
  return new SwitchbackError('E_DEADLINE', message, { details: { waitedMs, allowedMs } });
}
