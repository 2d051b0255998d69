import type { Clock } from './clock.ts';
import { messageOf } from './error.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Log } from './log.ts';

const LOOK_EVERY_MS = 6 * 60 * 60_000;

export interface RetentionOptions {
  ledger: Pick<Ledger, 'forgetEvents'>;
  /** Of the lease; null while it is not held. */
  epoch: () => number | null;
  /** How old an event may get. */
  eventsMs: number;
  clock: Clock;
  log: Log;
}

/** Forgets what is older than anybody wants to know, a few times a day; git knows what matters for ever. */
export class Retention implements AsyncDisposable {
  readonly #options: RetentionOptions;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#forget();
      await this.#options.clock.sleep(LOOK_EVERY_MS, this.#stop.signal);
    }
  }

  async #forget(): Promise<void> {
    const { ledger, epoch, eventsMs, clock, log } = this.#options;
    const held = epoch();
    if (held === null) return;
    try {
      const forgotten = await ledger.forgetEvents(held, clock.now() - eventsMs);
      if (forgotten > 0) log.info({ forgotten }, 'old events were forgotten');
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'old events could not be forgotten, will try again');
    }
  }
}
