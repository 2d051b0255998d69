/** A stop that was asked for, until it is carried out, and those who wait for that. */
export class AskedStop {
  #asked: { reason: string; hurry: AbortSignal | undefined } | null = null;
  readonly #waiting: (() => void)[] = [];
  #isGivenUp = false;

  get isAsked(): boolean {
    return this.#asked !== null;
  }

  /** Empty: none was asked for. */
  get reason(): string {
    return this.#asked?.reason ?? '';
  }

  get isHurried(): boolean {
    return this.#asked?.hurry?.aborted === true;
  }

  /** Asked again before it was carried out, the newest reason counts, and a `hurry` that was ever given. */
  ask(reason: string, hurry: AbortSignal | undefined): void {
    this.#asked = { reason, hurry: hurry ?? this.#asked?.hurry };
  }

  /** Resolves once it was carried out, or is no longer ours to carry out. */
  settled(): Promise<void> {
    if (this.#asked === null || this.#isGivenUp) return Promise.resolve();
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  carriedOut(): void {
    this.#asked = null;
    this.#tell();
  }

  /** For good. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#tell();
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
