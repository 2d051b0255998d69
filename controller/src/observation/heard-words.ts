import type { EnvironmentName, Instant, RuntimeObservation } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import type { Heard, Observed } from './observation.ts';

/** An instance that said nothing for so long has been judged or never will be; its counts no longer matter. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * The latest word of every instance, also of those that were replaced: what they counted until then still has a
 * part in a verdict.
 */
export class HeardWords {
  readonly #clock: Clock;
  readonly #byInstance = new Map<string, Heard>();
  readonly #listeners: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hear(environment: EnvironmentName, observation: RuntimeObservation): void {
    const heardAt = this.#clock.now();
    this.#forget(heardAt);
    this.#byInstance.set(`${environment}/${observation.instanceId}`, { environment, observation, heardAt });
    for (const listener of this.#listeners) listener();
  }

  latest(): Observed {
    this.#forget(this.#clock.now());
    return { heard: [...this.#byInstance.values()] };
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** No listener is called any more; what was heard stays readable. */
  close(): void {
    this.#listeners.length = 0;
  }

  #forget(now: Instant): void {
    for (const [key, { heardAt }] of this.#byInstance)
      if (now - heardAt > REMEMBERED_MS) this.#byInstance.delete(key);
  }
}
