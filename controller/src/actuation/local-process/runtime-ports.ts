import type { KeptRuntimeOptions } from './options.ts';
import { choosePort } from './port.ts';
import type { ProcessRecord } from './process-record.ts';
import type { RuntimeLog } from './runtime-log.ts';
import type { Settings } from './started-with.ts';

export type Ports = Pick<ProcessRecord, 'port' | 'grpcPort'> & { ownPort: number };

/** The ports of one runtime: those that it shares with the environment's others, and its own. */
export class RuntimePorts {
  readonly #options: KeptRuntimeOptions;
  readonly #log: RuntimeLog;
  /** The port that it had to leave, until somebody asks. */
  #left: number | null = null;

  /** `adopts`: there is a process that listens already. */
  constructor(options: KeptRuntimeOptions, log: RuntimeLog, adopts: boolean) {
    this.#options = options;
    this.#log = log;
    if (!adopts) return;
    options.port.adopt(this);
    if (options.remembered?.grpcPort !== undefined) options.grpcPort.adopt(this);
  }

  /** Those that it had before, where they are free. Held until they are released. Throws E_PORT_TAKEN. */
  async take(before: ProcessRecord | null, settings: Settings): Promise<Ports> {
    const { port, grpcPort, host, claimed } = this.#options;
    const shared = await port.take(this);
    const grpc = settings.grpc ? { grpcPort: await grpcPort.take(this) } : {};
    const ownHost = host.includes(':') ? '::1' : '127.0.0.1';
    const ownPort = await choosePort({ host: ownHost, remembered: before?.ownPort ?? null, claimed });
    if (before !== null && before.port !== shared) this.#leave(before.port, shared);
    return { port: shared, ...grpc, ownPort };
  }

  /** What whoever asked at another address before has to know; empty: nothing. Told once. */
  news(): string {
    const left = this.#left;
    this.#left = null;
    return left === null ? '' : `; port ${left} was taken by another program`;
  }

  release(): void {
    this.#options.port.release(this);
    this.#options.grpcPort.release(this);
  }

  #leave(left: number, next: number): void {
    this.#left = left;
    this.#log.portTaken(left, next);
  }
}
