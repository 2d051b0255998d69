import type { Instant, Loaded, LoadState, Replacement } from '@switchback-ml/schemas';
import type { Cause } from '../charge.ts';
import type { Clock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';

const MOST_REPLACEMENTS_TOLD = 5;

/** How far a revision has come, and what went wrong with it on the way. */
export class Progress {
  readonly #clock: Clock;
  /** Called when the state is another; must return at once. */
  readonly #onChange: () => void;
  #state: LoadState;
  #since: Instant;
  #failure: SwitchbackError | null = null;
  #retryAt: Instant | null = null;
  #replaced: readonly Replacement[] = [];

  constructor(state: LoadState, clock: Clock, onChange: () => void) {
    this.#state = state;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#since = clock.now();
  }

  get state(): LoadState {
    return this.#state;
  }

  /** What a request is told while it can't be answered. */
  get refusal(): SwitchbackError {
    if (this.#retryAt === null)
      return new SwitchbackError('E_MODEL_NOT_READY', 'This version is not ready; try again in a moment.');
    const retryAfterMs = Math.max(0, Math.round(this.#retryAt - this.#clock.now()));
    const message = 'The engines of this version keep failing, and it rests for now; try again later.';
    return new SwitchbackError('E_MODEL_NOT_READY', message, { details: { retryAfterMs } });
  }

  /** @param otherwise what to tell where nothing is known to have failed */
  describe(
    otherwise: SwitchbackError | null,
  ): Pick<Loaded, 'state' | 'since' | 'failure' | 'retryAt' | 'replaced'> {
    const failure = this.#failure ?? otherwise;
    return {
      state: this.#state,
      since: this.#since,
      ...(failure !== null && { failure: { code: failure.code, message: failure.message } }),
      ...(this.#retryAt !== null && { retryAt: this.#retryAt }),
      ...(this.#replaced.length > 0 && { replaced: [...this.#replaced] }),
    };
  }

  /** Its artifacts are at hand; what was ready before is not pulled anew as far as anybody is told. */
  loads(): void {
    if (this.#state === 'pulling') this.#become('loading');
  }

  ready(): void {
    this.#failure = null;
    this.#retryAt = null;
    this.#become('ready');
  }

  /** It has no engine, and another one is on its way. */
  interrupted(by: SwitchbackError): void {
    this.#failure = by;
    this.#retryAt = null;
    this.#become('loading');
  }

  /** @param retryAt when it is tried again; null: never */
  failed(by: SwitchbackError, retryAt: Instant | null): void {
    this.#failure = by;
    this.#retryAt = retryAt;
    this.#become('failed');
  }

  engineReplaced({ cause, reason }: Cause): void {
    const replacement = { at: this.#clock.now(), cause, reason };
    this.#replaced = [...this.#replaced, replacement].slice(-MOST_REPLACEMENTS_TOLD);
  }

  #become(state: LoadState): void {
    if (state === this.#state) return;
    this.#since = this.#clock.now();
    this.#state = state;
    this.#onChange();
  }
}
