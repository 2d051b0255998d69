import { SwitchbackError } from '../error.ts';

/** Nobody is sent away for longer. */
const LONGEST_RETRY_MS = 60_000;

export interface AdmissionQuestion {
  /** Of the newcomer. */
  rows: number;
  waitingRows: number;
  capacityRows: number;
  /** Of those waiting, that go before the newcomer. */
  rowsBefore: number;
  /** That the engines take at the next opportunity: who is among them does not wait in any way that can be foretold. */
  nextRows: number;
  /** Rows that leave the queue in a millisecond; null where that is not known, and then nothing is foretold. */
  drainPerMs: number | null;
  /** Until the newcomer's deadline. */
  leftMs: number;
}

/** Why a newcomer is better told at once that there is no room for it; null when there is. */
export function overload(question: AdmissionQuestion): SwitchbackError | null {
  const { rows, waitingRows, capacityRows, rowsBefore, nextRows, drainPerMs, leftMs } = question;
  if (waitingRows + rows > capacityRows)
    return overloaded(
      question,
      `${waitingRows} rows wait already and ${capacityRows} may: try again later, or with fewer callers.`,
    );
  if (drainPerMs === null || rowsBefore < nextRows) return null;
  const waitMs = rowsBefore / drainPerMs;
  if (waitMs <= leftMs) return null;
  return overloaded(
    question,
    `${rowsBefore} rows go before it, which takes about ${Math.round(waitMs)} ms, and it has ${Math.round(leftMs)} ms left: try again later, or with fewer callers.`,
  );
}

function overloaded({ waitingRows, drainPerMs }: AdmissionQuestion, message: string): SwitchbackError {
  if (drainPerMs === null) return new SwitchbackError('E_OVERLOADED', message);
  const retryAfterMs = Math.max(1, Math.min(LONGEST_RETRY_MS, Math.ceil(waitingRows / drainPerMs)));
  return new SwitchbackError('E_OVERLOADED', message, { details: { retryAfterMs } });
}
