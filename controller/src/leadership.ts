import type { Clock } from './clock.ts';
import { messageOf, SwitchbackError } from './error.ts';
import type { Lease, Ledger } from './ledger/ledger.ts';
import type { Log } from './log.ts';

const TTL_MS = 15_000;

/** Holds the lease of the ledger for as long as the process lives and can write it. */
export class Leadership {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stop = new AbortController();
  #lease: Lease | null;
  #loop: Promise<void> | null = null;

  private constructor(ledger: Ledger, clock: Clock, log: Log, lease: Lease) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#log = log;
    this.#lease = lease;
  }

  /** Throws E_LEASE_HELD when another controller leads. */
  static async take({
    ledger,
    holder,
    clock,
    log,
  }: {
    ledger: Ledger;
    holder: string;
    clock: Clock;
    log: Log;
  }): Promise<Leadership> {
    const acquired = await ledger.acquire(holder, TTL_MS, clock.now());
    if (acquired.kind === 'held') {
      const seconds = Math.ceil((acquired.by.until - clock.now()) / 1000);
      throw new SwitchbackError(
        'E_LEASE_HELD',
        `Another controller (${acquired.by.holder}) leads here. Stop it, or wait ${seconds} s until its lease ends.`,
      );
    }
    const leadership = new Leadership(ledger, clock, log, acquired.lease);
    leadership.#loop = leadership.#renew();
    return leadership;
  }

  /** Of the lease while it is surely ours, by our own clock; else null, and then nothing may be decided. */
  epoch(): number | null {
    return this.#lease && this.#clock.now() < this.#lease.until ? this.#lease.epoch : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    if (this.#lease) await this.#release(this.#lease);
  }

  /** One that stays with us runs out by itself; whoever ends shall end all the same. */
  async #release(lease: Lease): Promise<void> {
    try {
      await this.#ledger.release(lease);
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'the lease could not be released');
    }
  }

  async #renew(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#clock.sleep(TTL_MS / 3, this.#stop.signal);
      if (this.#stop.signal.aborted || !this.#lease) return;
      try {
        const renewed = await this.#ledger.renew(this.#lease, TTL_MS, this.#clock.now());
        this.#lease = renewed.kind === 'acquired' ? renewed.lease : null;
        if (renewed.kind === 'held')
          this.#log.error({ by: renewed.by.holder }, 'another controller took the lease');
      } catch (error) {
        this.#log.warn({ reason: messageOf(error) }, 'the lease could not be renewed');
      }
    }
  }
}
