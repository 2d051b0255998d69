import { SwitchbackError } from '../error.ts';
import { hasRows, joinRows, rowsFrom } from './batch.ts';
import type { Caller, Ran, Work } from './work.ts';

export interface PartsOptions {
  /** Of each part but the last. */
  partRows: number;
  /** Parts that may be on their way at the same time. */
  atOnce: number;
  submit(part: Work): Promise<Ran>;
  /** The clock's. */
  elapsed(): number;
}

/** The requests that run in parts, each part queued only when one before it is answered. */
export class Oversized {
  #requests = 0;
  #rows = 0;

  get isIdle(): boolean {
    return this.#requests === 0;
  }

  /** Of theirs, that are not queued yet. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * It has the place in the queue of a caller that asks again and again, and others go in between. Fails with the
   * first part that fails; parts that have not begun by then never do.
   */
  async run(work: Work, options: PartsOptions): Promise<Ran> {
    let notQueued = work.rows;
    this.#requests++;
    this.#rows += notQueued;
    try {
      return await runInParts(work, {
        ...options,
        submit: part => {
          notQueued -= part.rows;
          this.#rows -= part.rows;
          return options.submit(part);
        },
      });
    } finally {
      this.#requests--;
      this.#rows -= notQueued;
    }
  }
}

async function runInParts(work: Work, options: PartsOptions): Promise<Ran> {
  const { partRows, atOnce, submit, elapsed } = options;
  const began = elapsed();
  const caller = new PartsCaller(work.caller);
  const parts: Ran[] = [];
  let from = 0;
  const runNext = async (): Promise<void> => {
    while (from < work.rows && !caller.hasFailed) {
      const index = from / partRows;
      const to = Math.min(work.rows, from + partRows);
      const part = { ...work, inputs: rowsFrom(work.inputs, from, to), rows: to - from, caller };
      from = to;
      parts[index] = await runPart(part, submit, caller);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runNext));
  const { queueMs, batchMs } = parts[0]!;
  return {
    outputs: joinRows(parts.map(({ outputs }) => outputs)),
    batchRows: parts.reduce((most, { batchRows }) => Math.max(most, batchRows), 0),
    queueMs,
    batchMs,
    runMs: elapsed() - began - queueMs - batchMs,
  };
}

async function runPart(part: Work, submit: PartsOptions['submit'], caller: PartsCaller): Promise<Ran> {
  try {
    const ran = await submit(part);
    if (hasRows(ran.outputs, part.rows)) return ran;
    throw new SwitchbackError(
      'E_INTERNAL',
      `The model gave another number of rows than the ${part.rows} it got: send fewer rows at a time.`,
    );
  } catch (error) {
    caller.hasFailed = true;
    throw error;
  }
}

/** Gone as soon as one part failed: nobody reads the others. */
class PartsCaller implements Caller {
  readonly #caller: Caller;
  hasFailed = false;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get isGone(): boolean {
    return this.hasFailed || this.#caller.isGone;
  }
}
