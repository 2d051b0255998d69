import { choosePort } from './port.ts';

export interface SharedPortOptions {
  host: string;
  /** The one to have again, if it is free. */
  remembered: number | null;
  /** The first to try otherwise; any that the system has free when absent. */
  basePort?: number | undefined;
  /** Ports of all environments. */
  claimed: Set<number>;
}

/**
 * One port on which all runtimes of an environment listen. It is tried only while none of them may: whoever tries a
 * port listens there for a moment, and would be dealt connections meant for them.
 */
export class SharedPort {
  readonly #options: SharedPortOptions;
  readonly #holders = new Set<object>();
  #port: number | null;
  #choosing: Promise<number> = Promise.resolve(0);

  constructor(options: SharedPortOptions) {
    this.#options = options;
    this.#port = options.remembered;
  }

  get port(): number | null {
    return this.#port;
  }

  /** `holder` has listened there since before we were. */
  adopt(holder: object): void {
    if (this.#port !== null) this.#choosing = Promise.resolve(this.#port);
    this.#holders.add(holder);
  }

  /** The port, held until it is released. Throws E_PORT_TAKEN when there is none to be had; release it then too. */
  take(holder: object): Promise<number> {
    const isFirst = this.#holders.size === 0;
    this.#holders.add(holder);
    if (isFirst) this.#choosing = this.#choose();
    return this.#choosing;
  }

  /** What held it is gone. */
  release(holder: object): void {
    this.#holders.delete(holder);
  }

  async #choose(): Promise<number> {
    const { claimed } = this.#options;
    const port = await choosePort({ ...this.#options, remembered: this.#port });
    if (this.#port !== null && this.#port !== port) claimed.delete(this.#port);
    this.#port = port;
    return port;
  }
}
