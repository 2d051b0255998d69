import { randomUUID } from 'node:crypto';
import type { Session, Talk } from './session.ts';
import { STATEMENTS } from './statements.ts';

/** As long as a lease: without an answer by then it is lost anyway. */
const PATIENCE_MS = 15_000;

export interface Step<T> {
  /** `could not …` */
  verb: string;
  epoch: number;
  work: (talk: Talk) => Promise<T>;
  /** What the caller hears whose epoch is not the present one. */
  fenced: T;
  /** Whether what was written is to stay. */
  isKept: (value: T) => boolean;
}

/**
 * Writes under an epoch, each once, also when the answer to its COMMIT is lost: a step leaves its id in the lease's row,
 * which it has locked. Whoever locks that row afterwards sees whether the step went through, and that it no longer can.
 */
export class Steps {
  readonly #session: Session;
  /** May have been written although its caller was told that it failed. */
  #unsure: { epoch: number; id: string } | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  async write<T>(step: Step<T>): Promise<T> {
    const { verb, isKept } = step;
    const id = randomUUID();
    let written: { value: T } | null = null;
    const work = async (talk: Talk): Promise<T> => {
      if (written !== null || this.#unsure !== null) {
        const last = await lastStep(talk);
        if (written !== null && last === id) return written.value;
        written = null;
        if (this.#wasWritten(step.epoch, last)) return step.fenced;
      }
      if ((await talk.query(STATEMENTS.fence, step.epoch, id)).count === 0) return step.fenced;
      const value = await step.work(talk);
      if (isKept(value)) written = { value };
      return value;
    };
    try {
      return await this.#session.do({ verb, kind: 'write', patienceMs: PATIENCE_MS, work, isKept });
    } catch (error) {
      if (written !== null) this.#unsure = { epoch: step.epoch, id };
      throw error;
    }
  }

  /** Then what its caller holds for true is older than the ledger, and for this epoch that stays so. */
  #wasWritten(epoch: number, last: string): boolean {
    if (this.#unsure?.epoch === epoch && this.#unsure.id === last) return true;
    this.#unsure = null;
    return false;
  }
}

/** Waits until no other transaction has the lease's row. */
async function lastStep(talk: Talk): Promise<string> {
  return String((await talk.query(STATEMENTS.lockLease)).rows[0]?.['step']);
}
