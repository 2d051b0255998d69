import type { KeptRuntimeOptions } from './options.ts';
import { choosePort } from './port.ts';
import type { ProcessRecord } from './process-record.ts';
import type { Settings } from './started-with.ts';

export type Ports = Pick<ProcessRecord, 'port' | 'ownPort' | 'grpcPort'>;

/** The ports of one runtime: those that it shares with the environment's others, and its own. */
export class RuntimePorts {
  readonly #options: KeptRuntimeOptions;

  /** `adopts`: there is a process that listens already. */
  constructor(options: KeptRuntimeOptions, adopts: boolean) {
    this.#options = options;
    if (!adopts) return;
    options.port.adopt(this);
    if (options.remembered?.grpcPort !== undefined) options.grpcPort.adopt(this);
  }

  /** Held until they are released. Throws E_PORT_TAKEN. */
  async take(ownPort: number | undefined, settings: Settings): Promise<Ports & { ownPort: number }> {
    const { port, grpcPort, host, claimed } = this.#options;
    const shared = await port.take(this);
    const grpc = settings.grpc ? { grpcPort: await grpcPort.take(this) } : {};
    const own = { host: host.includes(':') ? '::1' : '127.0.0.1', remembered: ownPort ?? null, claimed };
    return { port: shared, ...grpc, ownPort: await choosePort(own) };
  }

  release(): void {
    this.#options.port.release(this);
    this.#options.grpcPort.release(this);
  }
}
