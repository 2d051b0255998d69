import type { Clock } from '../clock.ts';
import { CpuAccounts } from './cpu.ts';
import { type ProcessUsage, readProcessUsage } from './process-usage.ts';
import type { Running } from './running.ts';
import type { Tallies } from './tallies.ts';

export interface ReadingsOptions {
  running: () => readonly Running[];
  tallies: Tallies;
  clock: Clock;
}

/** What has to be asked for, rather than counted: read when somebody looks, not by request. */
export class Readings {
  readonly #options: ReadingsOptions;
  readonly cpu: CpuAccounts;
  #running: readonly Running[] = [];
  #usages = new Map<number, ProcessUsage>();
  #underWay: Promise<void> | null = null;

  constructor(options: ReadingsOptions) {
    this.#options = options;
    this.cpu = new CpuAccounts({ tallies: options.tallies, frontSeconds: ownCpuSeconds });
  }

  /** Of the newest reading. */
  get running(): readonly Running[] {
    return this.#running;
  }

  residentBytes(pid: number): number | null {
    return this.#usages.get(pid)?.residentBytes ?? null;
  }

  /** Whoever looks at the same time shares one reading. Never rejects. */
  refresh(): Promise<void> {
    this.#underWay ??= this.#read().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #read(): Promise<void> {
    const { running, tallies, clock } = this.#options;
    this.#running = running();
    const pids = [...new Set(this.#running.flatMap(revision => revision.pids))];
    const usages = await Promise.all(pids.map(async pid => [pid, await readProcessUsage(pid)] as const));
    this.#usages = new Map(usages.filter((entry): entry is [number, ProcessUsage] => entry[1] !== null));
    tallies.makeRoom();
    this.cpu.charge(this.#running, this.#usages, clock.elapsed());
  }
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
