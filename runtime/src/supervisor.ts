import type { Instant } from '@switchback-ml/schemas';
import type { Clock } from './clock.ts';
import { afterCrash } from './crash-policy.ts';
import type { Engine, StartEngine } from './engine/engine.ts';
import { asSwitchbackError, messageOf, SwitchbackError } from './error.ts';
import type { Log } from './log.ts';

/** One thing for whose sake an engine is kept running. */
export interface Charge {
  model: string;
  revision: string;
  /**
   * Makes a blank engine ready. `isFirst` until it was ready once. Throwing E_ENGINE_DIED counts as a crash; any
   * other SwitchbackError is the last word on this charge.
   */
  prepare(engine: Engine, isFirst: boolean, signal: AbortSignal): Promise<void>;
  /** It is ready: hand it requests. */
  up(engine: Engine): void;
  /** It is gone, and another one is on its way. */
  down(reason: string): void;
}

export interface SupervisorOptions {
  start: StartEngine;
  clock: Clock;
  log: Log;
  onRestart: (charge: Charge) => void;
}

/** Starts, watches and replaces engines, one for each charge, and keeps one blank spare started. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #closing = new AbortController();
  #spare: Promise<Engine | null>;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#spare = this.#startSpare();
  }

  /**
   * Keeps an engine running for a charge until `signal` aborts (null), or until there is no use in going on (why).
   * Never rejects; its engine is gone when it resolves.
   */
  async keep(charge: Charge, signal: AbortSignal): Promise<SwitchbackError | null> {
    let crashes: readonly Instant[] = [];
    let isFirst = true;
    while (!signal.aborted) {
      const end = await this.#serveOnce(charge, isFirst, signal);
      if (signal.aborted) return null;
      if (end.kind === 'refused') return end.error;
      isFirst &&= !end.wasReady;

      const { clock, log } = this.#options;
      const next = afterCrash(crashes, clock.now());
      crashes = next.crashes;
      const fields = { model: charge.model, revision: charge.revision, reason: end.reason };
      if (next.kind === 'give-up') {
        log.error(fields, 'engine died again and again, given up');
        return givenUp(crashes.length, end.reason);
      }
      log.warn({ ...fields, afterMs: next.afterMs }, 'engine died, it is being replaced');
      this.#options.onRestart(charge);
      await clock.sleep(next.afterMs, signal);
    }
    return null;
  }

  /** Stops the spare; charges are stopped by whoever keeps them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const spare = await this.#spare;
    await spare?.[Symbol.asyncDispose]();
  }

  async #serveOnce(charge: Charge, isFirst: boolean, signal: AbortSignal): Promise<End> {
    let engine: Engine | null = null;
    let wasReady = false;
    try {
      engine = await this.#take(signal);
      await charge.prepare(engine, isFirst, signal);
      wasReady = true;
      charge.up(engine);
      const reason = await Promise.race([engine.gone, aborted(signal)]);
      if (!signal.aborted) charge.down(reason);
      return { kind: 'gone', reason, wasReady };
    } catch (error) {
      const { code, message } = asSwitchbackError(error, 'E_ENGINE_DIED');
      if (code !== 'E_ENGINE_DIED') return { kind: 'refused', error: asSwitchbackError(error) };
      return { kind: 'gone', reason: message, wasReady };
    } finally {
      await engine?.[Symbol.asyncDispose]();
    }
  }

  /** The spare, or a new one where the spare is used up or has died in the meantime. */
  async #take(signal: AbortSignal): Promise<Engine> {
    const spare = this.#spare;
    this.#spare = Promise.resolve(null);
    const engine = await spare;
    const isAlive = engine !== null && (await Promise.race([engine.gone.then(() => false), settled(true)]));
    if (!isAlive) await engine?.[Symbol.asyncDispose]();
    try {
      return isAlive ? engine : await this.#options.start(AbortSignal.any([signal, this.#closing.signal]));
    } finally {
      this.#spare = this.#spare.then(next => next ?? this.#startSpare());
    }
  }

  /** Null when it could not be started: the next one who needs an engine meets the reason itself. */
  async #startSpare(): Promise<Engine | null> {
    if (this.#closing.signal.aborted) return null;
    return this.#options.start(this.#closing.signal).catch((error: unknown) => {
      if (!this.#closing.signal.aborted)
        this.#options.log.warn({ reason: messageOf(error) }, 'spare engine could not be started');
      return null;
    });
  }
}

type End = { kind: 'gone'; reason: string; wasReady: boolean } | { kind: 'refused'; error: SwitchbackError };

function givenUp(crashes: number, reason: string): SwitchbackError {
  const message = `Its engine died ${crashes} times within a minute, last because ${reason}. It is not started again for this revision; ship another version or other limits.`;
  return new SwitchbackError('E_ENGINE_DIED', message, { details: { crashes } });
}

function settled<Value>(value: Value): Promise<Value> {
  return new Promise(resolve => setImmediate(() => resolve(value)));
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise(resolve => {
    const done = (): void => resolve('it is not wanted any more');
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
