import { backOffMs } from './back-off.ts';
import type { Cause, Charge } from './charge.ts';
import { afterCrash, type CrashHistory, type Life, NO_CRASHES } from './crash-policy.ts';
import { type End, liveEngine } from './engine-life.ts';
import { SwitchbackError } from './error.ts';
import { Spare, type SpareOptions } from './spare.ts';

export interface SupervisorOptions extends SpareOptions {
  onReplaced: (charge: Charge, cause: Cause['cause']) => void;
}

/** Starts, watches and replaces engines, one for each charge, and keeps one blank spare started. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #spare: Spare;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#spare = new Spare(options);
  }

  /**
   * Keeps an engine running for a charge until `signal` aborts (null), or until there is no use in going on (why),
   * which is only known of a charge that never was ready. Never rejects; its engine is gone when it resolves.
   */
  async keep(charge: Charge, signal: AbortSignal): Promise<SwitchbackError | null> {
    const { clock, random } = this.#options;
    let history = NO_CRASHES;
    let shortages = 0;
    let wasReady = false;
    let isProven = false;
    while (!signal.aborted) {
      const end = await liveEngine({ ...this.#options, spare: this.#spare }, charge, isProven, signal);
      if (signal.aborted) break;
      if (end.kind === 'short') {
        this.#tellShortage(charge, end.error, shortages);
        await clock.sleep(backOffMs(shortages++, random()), signal);
        continue;
      }
      if (end.kind === 'refused' && !wasReady) return end.error;
      shortages = 0;
      if (end.kind === 'gone' && end.wasReady) {
        wasReady = true;
        isProven = end.what.cause !== 'wrong';
      }
      history = await this.#settle(charge, end, history, signal);
    }
    return null;
  }

  /** Stops the spare; charges are stopped by whoever keeps them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spare[Symbol.asyncDispose]();
  }

  /** Tells everybody what happened, and waits until the next engine may be tried. */
  async #settle(
    charge: Charge,
    end: Exclude<End, { kind: 'short' }>,
    earlier: CrashHistory,
    signal: AbortSignal,
  ): Promise<CrashHistory> {
    const { clock, random, log, onReplaced } = this.#options;
    const { what, life, error } = asCrash(end);
    const { kind, afterMs, history } = afterCrash(earlier, life, clock.now(), random());
    const isResting = kind === 'rest';
    const fields = { ...namesOf(charge), ...what, afterMs: Math.round(afterMs) };
    if (isResting) log.error(fields, 'engines keep failing, the revision rests before another try');
    else log.warn(fields, 'engine is being replaced');
    onReplaced(charge, what.cause);
    charge.down({
      error: error ?? crashed(what, isResting),
      replaced: what,
      retryAt: isResting ? clock.now() + afterMs : null,
    });
    await clock.sleep(afterMs, signal);
    return history;
  }

  #tellShortage(charge: Charge, error: SwitchbackError, shortages: number): void {
    charge.down({ error, replaced: null, retryAt: null });
    if (shortages > 0) return;
    const fields = { ...namesOf(charge), code: error.code, reason: error.message };
    this.#options.log.error(fields, 'engine could not be started, trying again');
  }
}

/** A charge that was ready once is not refused for good: its bytes are the same, so the fault is around them. */
function asCrash(end: Exclude<End, { kind: 'short' }>): {
  what: Cause;
  life: Life;
  error: SwitchbackError | null;
} {
  if (end.kind === 'gone') return { what: end.what, life: end.life, error: null };
  const reason = `its replacement could not be made ready: ${end.error.message}`;
  return { what: { cause: 'died', reason }, life: { upMs: 0, answers: 0 }, error: end.error };
}

function crashed({ reason }: Cause, isResting: boolean): SwitchbackError {
  const message = isResting
    ? `Its engine was lost again and again, last because ${reason}. It rests and is then tried again; ship another version or other limits if that does not help.`
    : `Its engine was lost: ${reason}. It is being replaced.`;
  return new SwitchbackError('E_ENGINE_DIED', message);
}

function namesOf({ model, revision }: Charge): Record<string, unknown> {
  return { model, revision };
}
