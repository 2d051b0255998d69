import { backOffMs } from './back-off.ts';
import type { Cause, Charge } from './charge.ts';
import { afterCrash, type CrashHistory, type Life, NO_CRASHES } from './crash-policy.ts';
import { type End, liveEngine } from './engine-life.ts';
import { SwitchbackError } from './error.ts';
import { Turns, type Urgency } from './loading/turns.ts';
import { Spare, type SpareOptions } from './spare.ts';

export interface SupervisorOptions extends Omit<SpareOptions, 'turns'> {
  /** How many engines may start and load at the same time: as many as there are cores. Absent: any number. */
  loadsAtOnce?: number;
  onReplaced: (charge: Charge, cause: Cause['cause']) => void;
}

/** What is known of a charge, whichever seat it was learned in, and however often it was kept. */
interface Kept {
  charge: Charge;
  /** Crashes count for the charge: they tell of its graph. */
  history: CrashHistory;
  seatsUp: Set<number>;
  wasReady: boolean;
  /** Its bytes were ready, and none of its engines gave a wrong answer since. */
  isProven: boolean;
  firstUp: Promise<void>;
}

/** Starts, watches and replaces the engines of each charge, and keeps one blank spare started. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #turns: Turns;
  readonly #spare: Spare;
  /** Whoever sleeps and is kept again is the same: what it crashed with counts. */
  readonly #accounts = new WeakMap<Charge, Kept>();

  constructor(options: SupervisorOptions) {
    const { loadsAtOnce = Number.POSITIVE_INFINITY, clock } = options;
    this.#options = options;
    this.#turns = new Turns({ atOnce: loadsAtOnce, clock });
    this.#spare = new Spare({ ...options, turns: this.#turns });
  }

  /**
   * Keeps an engine in each seat of a charge until `signal` aborts (null), or until there is no use in going on (why),
   * which is only known of a charge that never was ready. The first seat shows whether the charge can be ready at
   * all; the others follow it. Never rejects; its engines are gone when it resolves. One that was kept before is still
   * known.
   */
  async keep(charge: Charge, signal: AbortSignal): Promise<SwitchbackError | null> {
    const kept = this.#accounts.get(charge) ?? keepAccount(charge);
    this.#accounts.set(charge, kept);
    kept.seatsUp.clear();
    const first = this.#keepSeat(kept, 0, signal);
    await Promise.race([kept.firstUp, first]);
    const others = Array.from({ length: charge.engines - 1 }, (_, index) =>
      kept.wasReady ? this.#keepSeat(kept, index + 1, signal) : null,
    );
    await Promise.all(others);
    return first;
  }

  /** Stops the spare; charges are stopped by whoever keeps them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spare[Symbol.asyncDispose]();
  }

  async #keepSeat(kept: Kept, index: number, signal: AbortSignal): Promise<SwitchbackError | null> {
    const { clock, random } = this.#options;
    let shortages = 0;
    while (!signal.aborted) {
      const end = await this.#live(kept, index, signal);
      if (signal.aborted) break;
      if (end.kind === 'short') {
        this.#tellShortage(kept.charge, index, end.error, shortages);
        await clock.sleep(backOffMs(shortages++, random()), signal);
        continue;
      }
      if (end.kind === 'refused' && !kept.wasReady) return end.error;
      shortages = 0;
      if (end.kind === 'gone' && end.what.cause === 'wrong') kept.isProven = false;
      await this.#settle(kept, index, end, signal);
    }
    return null;
  }

  #live(kept: Kept, index: number, signal: AbortSignal): Promise<End> {
    const { charge, isProven } = kept;
    const urgency = urgencyOf(kept);
    const options = { ...this.#options, spare: this.#spare, turns: this.#turns };
    return liveEngine(options, { charge, index, urgency, isProven }, signal);
  }

  /** Tells everybody what happened, and waits until the next engine may be tried. */
  async #settle(
    kept: Kept,
    seat: number,
    end: Exclude<End, { kind: 'short' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, log, onReplaced } = this.#options;
    const { charge } = kept;
    const { what, life, error } = asCrash(end);
    const { kind, afterMs, history } = afterCrash(kept.history, life, clock.now(), random());
    kept.history = history;
    const isResting = kind === 'rest';
    const fields = { ...namesOf(charge), ...what, afterMs: Math.round(afterMs) };
    if (isResting) log.error(fields, 'engines keep failing, there is a rest before another try');
    else log.warn(fields, 'engine is being replaced');
    onReplaced(charge, what.cause);
    charge.down(seat, {
      error: error ?? crashed(what, isResting),
      replaced: what,
      retryAt: isResting ? clock.now() + afterMs : null,
    });
    await clock.sleep(afterMs, signal);
  }

  #tellShortage(charge: Charge, seat: number, error: SwitchbackError, shortages: number): void {
    charge.down(seat, { error, replaced: null, retryAt: null });
    if (shortages > 0) return;
    const fields = { ...namesOf(charge), code: error.code, reason: error.message };
    this.#options.log.error(fields, 'engine could not be started, trying again');
  }
}

function urgencyOf({ charge, seatsUp, wasReady }: Kept): Urgency {
  if (seatsUp.size > 0) return 'another';
  const isAwaited = charge.isAwaited?.() ?? wasReady;
  if (isAwaited) return 'outage';
  return wasReady ? 'another' : 'first';
}

function keepAccount(charge: Charge): Kept {
  const firstUp = Promise.withResolvers<void>();
  const told: Charge = {
    ...charge,
    up(seat, engine, replaced) {
      kept.seatsUp.add(seat);
      kept.wasReady = true;
      kept.isProven = true;
      charge.up(seat, engine, replaced);
      firstUp.resolve();
    },
    lost(seat, what) {
      kept.seatsUp.delete(seat);
      charge.lost(seat, what);
    },
  };
  const kept: Kept = {
    charge: told,
    history: NO_CRASHES,
    seatsUp: new Set(),
    wasReady: false,
    isProven: false,
    firstUp: firstUp.promise,
  };
  return kept;
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
