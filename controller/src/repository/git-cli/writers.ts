import type { Clock } from '../../clock.ts';
import { sweep } from './sweep.ts';

/** What a git that was killed left behind carries the time of the file system, whose clock may differ a little. */
const CLOCKS_DIFFER_MS = 1_000;

/** Who writes packs and refs in one clone. Only when nobody does can what lies about be nobody's. */
export class Writers {
  readonly #directory: string;
  readonly #clock: Clock;
  #count = 0;
  #hasLeftovers = false;
  #sweeping: Promise<unknown> = Promise.resolve();

  constructor({ directory, clock }: { directory: string; clock: Clock }) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** Does `act`, a git that writes; when it was killed, or threw, its leftovers are removed with the last one's end. */
  async write<Result extends { wasKilled: boolean }>(act: () => Promise<Result>): Promise<Result> {
    await this.#sweeping;
    this.#count += 1;
    let wasKilled = true;
    try {
      const result = await act();
      wasKilled = result.wasKilled;
      return result;
    } finally {
      this.#count -= 1;
      this.#hasLeftovers ||= wasKilled;
      if (this.#count === 0 && this.#hasLeftovers) await this.#sweep();
    }
  }

  async #sweep(): Promise<void> {
    this.#hasLeftovers = false;
    this.#sweeping = sweep(this.#directory, this.#clock.now() + CLOCKS_DIFFER_MS);
    await this.#sweeping;
  }
}
