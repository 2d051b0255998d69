import { SwitchbackError } from '../error.ts';

/** The time during which a revision has no engine, and the end of everybody's patience with it. */
export class Outage {
  readonly #patienceMs: number;
  #patienceEndsAt: number | null = null;
  #refusal: SwitchbackError | null = null;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** When patience ends; null: nobody's is being tried. */
  get patienceEndsAt(): number | null {
    return this.#patienceEndsAt;
  }

  /** What newcomers are told; null: they may wait. */
  get refusal(): SwitchbackError | null {
    return this.#refusal;
  }

  begin(now: number): void {
    this.#patienceEndsAt = now + this.#patienceMs;
  }

  end(): void {
    this.#patienceEndsAt = null;
    this.#refusal = null;
  }

  /** What those who wait are told, when it is too long by now. */
  tooLong(now: number): SwitchbackError | null {
    if (this.#patienceEndsAt === null || this.#patienceEndsAt > now) return null;
    this.#patienceEndsAt = null;
    this.#refusal = new SwitchbackError(
      'E_MODEL_NOT_READY',
      'Its engine is being replaced; try again in a moment.',
    );
    return this.#refusal;
  }
}
