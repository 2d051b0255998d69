import { backOffMs } from './back-off.ts';
import type { Clock } from './clock.ts';
import type { Engine, StartEngine } from './engine/engine.ts';
import { asSwitchbackError, messageOf } from './error.ts';
import type { Turns } from './loading/turns.ts';
import type { Log } from './log.ts';

const LOOK_EVERY_MS = 10_000;
/** For a blank engine to say that it is blank. */
const ANSWER_MS = 1000;

export interface SpareOptions {
  start: StartEngine;
  /** Everybody's turns to start and load; the spare's comes last. */
  turns: Turns;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
}

/** There is none before the spare's turn to start has come: nobody waits for that. */
interface Slot {
  /** Null when it could not be started. */
  engine: Promise<Engine | null>;
  taken: PromiseWithResolvers<'taken'>;
}

/** Keeps one blank engine started, so that whoever needs one need not wait. A dead or hung one is replaced. */
export class Spare {
  readonly #options: SpareOptions;
  readonly #closing = new AbortController();
  #slot: Slot | null = null;
  readonly #life: Promise<void>;

  constructor(options: SpareOptions) {
    this.#options = options;
    this.#life = this.#live();
  }

  /** The spare, or a new one where the spare is in use, dead or hung. It is the caller's to dispose. */
  async take(signal: AbortSignal): Promise<Engine> {
    const slot = this.#slot;
    this.#slot = null;
    slot?.taken.resolve('taken');
    const engine = (await slot?.engine) ?? null;
    if (engine !== null) {
      if (await isResponsive(engine)) return engine;
      await engine[Symbol.asyncDispose]();
    }
    return this.#options.start(AbortSignal.any([signal, this.#closing.signal]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#life;
  }

  async #live(): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      const endTurn = await this.#options.turns.take('spare', signal);
      if (signal.aborted) return endTurn();
      const taken = Promise.withResolvers<'taken'>();
      const slot = { engine: this.#start(failures, taken.promise), taken };
      this.#slot = slot;
      // Its turn was to begin last; from here on it gives way, and nobody waits for it.
      endTurn();
      const engine = await slot.engine;
      if (engine === null) {
        await clock.sleep(backOffMs(failures++, random()), signal);
        continue;
      }
      const why = await this.#keep(engine, slot.taken.promise);
      if (why === 'taken') {
        failures = 0;
        continue;
      }
      if (this.#slot === slot) this.#slot = null;
      if (!signal.aborted) log.warn({ pid: engine.pid, reason: why }, 'spare engine is being replaced');
      await engine[Symbol.asyncDispose]();
      await clock.sleep(backOffMs(failures++, random()), signal);
    }
  }

  async #start(failures: number, taken: Promise<unknown>): Promise<Engine | null> {
    const { start, log } = this.#options;
    try {
      return await start(this.#closing.signal, taken);
    } catch (error) {
      if (failures === 0 && !this.#closing.signal.aborted)
        log.warn({ reason: messageOf(error) }, 'spare engine could not be started, trying again');
      return null;
    }
  }

  /** Until it is taken, is not wanted any more, or has something wrong with it: then why. */
  async #keep(engine: Engine, taken: Promise<'taken'>): Promise<string> {
    const looking = new AbortController();
    const looks = this.#look(engine, AbortSignal.any([looking.signal, this.#closing.signal]));
    try {
      return await Promise.race([taken, engine.gone.then(({ reason }) => reason), looks]);
    } finally {
      looking.abort();
      await looks;
    }
  }

  async #look(engine: Engine, signal: AbortSignal): Promise<string> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(LOOK_EVERY_MS, signal);
      if (!signal.aborted && !(await isResponsive(engine))) return `it did not answer within ${ANSWER_MS} ms`;
    }
    return 'it is not wanted any more';
  }
}

/** A blank engine refuses any rows; that it does shows that it lives. */
async function isResponsive(engine: Engine): Promise<boolean> {
  try {
    await engine.infer(new Map(), ANSWER_MS);
    return true;
  } catch (error) {
    return asSwitchbackError(error).code === 'E_INTERNAL';
  }
}
