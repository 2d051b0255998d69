import type { InstanceId, LocalTarget } from '@switchback-ml/schemas';
import type { ObservedRuntime } from '../actuation.ts';
import { KeptRuntime } from './kept-runtime.ts';
import type { KeptEnvironmentOptions } from './options.ts';
import { readProcessRecord, rememberedReplicas } from './process-record.ts';
import { SharedPort } from './shared-port.ts';

/** As many runtimes of one environment as it shall have, each kept on its own, all on one port. */
export class KeptEnvironment {
  readonly #options: KeptEnvironmentOptions;
  readonly #port: SharedPort;
  readonly #grpcPort: SharedPort;
  /** By their number. */
  readonly #runtimes = new Map<number, KeptRuntime>();
  #target: LocalTarget | null = null;
  /** Those that shall be there. */
  #wanted: readonly KeptRuntime[] = [];

  /** Adopts those that an earlier life left behind. */
  constructor(options: KeptEnvironmentOptions) {
    this.#options = options;
    const { environment, directory, host, basePort, claimed } = options;
    const replicas = rememberedReplicas(directory).filter(each => each.environment === environment);
    const records = replicas.map(({ replica }) => readProcessRecord(directory, environment, replica));
    // What a living one listens on goes before what is only remembered.
    const [known] = [...records].sort((a, b) => Number(b?.process != null) - Number(a?.process != null));
    const grpcPort = records.find(record => record?.grpcPort !== undefined)?.grpcPort ?? null;
    this.#port = new SharedPort({ host, remembered: known?.port ?? null, basePort, claimed });
    this.#grpcPort = new SharedPort({ host, remembered: grpcPort, claimed });
    for (const [index, { replica }] of replicas.entries())
      if (records[index]?.process != null) this.#keep(replica);
    this.#wanted = [...this.#runtimes.values()];
  }

  /** How many runtimes it shall have. */
  get size(): number {
    return this.#wanted.filter(({ isWanted }) => isWanted).length;
  }

  get target(): LocalTarget | null {
    return this.#target;
  }

  observe(): ObservedRuntime[] {
    const inOrder = [...this.#runtimes].sort(([one], [other]) => one - other);
    return inOrder.flatMap(([, runtime]) => runtime.observe() ?? []);
  }

  /** Elsewhere than on Linux there is one, whatever is asked for. */
  want(target: LocalTarget): void {
    const { platform, environment, log } = this.#options;
    const runtimes = platform === 'linux' ? target.runtimes : 1;
    if (runtimes !== target.runtimes && this.#target?.runtimes !== target.runtimes)
      log.error({ environment, runtimes: target.runtimes }, 'several runtimes need Linux: one is started');
    this.#target = target;
    const wanted = Array.from({ length: runtimes }, (_, replica) => this.#keep(replica));
    this.#wanted = wanted;
    for (const runtime of wanted) runtime.want(target);
    for (const runtime of this.#runtimes.values())
      if (!wanted.includes(runtime)) runtime.retire(`${runtimes} of them are wanted`);
  }

  /** Null: all of them, one after another. */
  replace(instanceId: InstanceId | null, reason: string): void {
    const isNamed = instanceId !== null;
    for (const runtime of this.#wanted)
      if (!isNamed || runtime.observe()?.instanceId === instanceId) runtime.replace(reason, isNamed);
  }

  stop(reason: string, hurry?: AbortSignal): void {
    this.#target = null;
    for (const runtime of this.#runtimes.values()) runtime.stop(reason, hurry);
  }

  async stopped(): Promise<void> {
    await Promise.all([...this.#runtimes.values()].map(runtime => runtime.stopped()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#runtimes.values()].map(runtime => runtime.close()));
  }

  #keep(replica: number): KeptRuntime {
    const known = this.#runtimes.get(replica);
    if (known !== undefined) return known;
    const { directory, environment } = this.#options;
    const runtime: KeptRuntime = new KeptRuntime({
      ...this.#options,
      replica,
      remembered: readProcessRecord(directory, environment, replica),
      port: this.#port,
      grpcPort: this.#grpcPort,
      target: () => this.#target,
      siblings: () => this.#wanted.filter(each => each !== runtime),
    });
    this.#runtimes.set(replica, runtime);
    return runtime;
  }
}
