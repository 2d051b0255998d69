import type { ProcessUsage } from './process-usage.ts';
import type { Running } from './running.ts';
import type { Tallies } from './tallies.ts';

/** Over which CPU time and predictions are set against each other. */
const SPAN_MS = 5 * 60_000;
/** Readings are kept no closer than this, however often they are asked for. */
const APART_MS = 15_000;

export interface CpuOptions {
  tallies: Tallies;
  /** CPU time of this process since it began. */
  frontSeconds: () => number;
}

interface Sums {
  cpuSeconds: number;
  rows: number;
}

/**
 * Charges CPU time to versions. An engine's is its own, to 10 ms, from its start on; what it used after the last
 * reading before it ended is lost. The front's is what it used since the last reading, shared out by the time that
 * it spent on parsing and printing for each version meanwhile; what it used while nobody asked is charged to nobody.
 */
export class CpuAccounts {
  readonly #options: CpuOptions;
  #engines = new Map<number, { startedTicks: string; cpuSeconds: number }>();
  #frontSeconds: number;
  #frontMs = new Map<object, number>();
  #readings: { at: number; models: Map<string, Sums> }[] = [];

  constructor(options: CpuOptions) {
    this.#options = options;
    this.#frontSeconds = options.frontSeconds();
  }

  /** Takes what was used since the last call into account. `usages` by process id. */
  charge(running: Iterable<Running>, usages: ReadonlyMap<number, ProcessUsage>, now: number): void {
    this.#chargeEngines(running, usages);
    this.#chargeFront();
    this.#remember(now);
  }

  /** By model, over the last minutes; only of models that answered anything meanwhile. */
  *perThousand(): Generator<readonly [model: string, seconds: number]> {
    const earliest = this.#readings[0]?.models;
    if (earliest === undefined) return;
    for (const [model, { cpuSeconds, rows }] of this.#sums()) {
      const before = earliest.get(model) ?? { cpuSeconds: 0, rows: 0 };
      if (rows > before.rows && cpuSeconds >= before.cpuSeconds)
        yield [model, ((cpuSeconds - before.cpuSeconds) / (rows - before.rows)) * 1000];
    }
  }

  #chargeEngines(running: Iterable<Running>, usages: ReadonlyMap<number, ProcessUsage>): void {
    const known = this.#engines;
    this.#engines = new Map();
    for (const { model, version, pids } of running)
      for (const pid of pids) {
        const usage = usages.get(pid);
        if (usage === undefined) continue;
        const { startedTicks, cpuSeconds } = usage;
        const last = known.get(pid);
        const before = last?.startedTicks === startedTicks ? last.cpuSeconds : 0;
        this.#options.tallies.of(model, version).engineCpuSeconds += Math.max(0, cpuSeconds - before);
        this.#engines.set(pid, { startedTicks, cpuSeconds });
      }
  }

  #chargeFront(): void {
    const seconds = this.#options.frontSeconds();
    const used = seconds - this.#frontSeconds;
    this.#frontSeconds = seconds;
    const known = this.#frontMs;
    const tallies = [...this.#options.tallies];
    this.#frontMs = new Map(tallies.map(tally => [tally, tally.frontMs]));
    const spent = tallies.map(tally => tally.frontMs - (known.get(tally) ?? 0));
    const all = spent.reduce((sum, ms) => sum + ms, 0);
    if (all > 0)
      for (const [index, tally] of tallies.entries()) tally.frontCpuSeconds += (used * spent[index]!) / all;
  }

  #remember(now: number): void {
    const newest = this.#readings.at(-1);
    if (newest === undefined || now - newest.at >= APART_MS)
      this.#readings.push({ at: now, models: newest === undefined ? new Map() : this.#sums() });
    while (this.#readings.length > 1 && this.#readings[1]!.at <= now - SPAN_MS) this.#readings.shift();
  }

  #sums(): Map<string, Sums> {
    const models = new Map<string, Sums>();
    for (const { model, engineCpuSeconds, frontCpuSeconds, rows } of this.#options.tallies) {
      const sums = models.get(model) ?? { cpuSeconds: 0, rows: 0 };
      sums.cpuSeconds += engineCpuSeconds + frontCpuSeconds;
      sums.rows += rows;
      models.set(model, sums);
    }
    return models;
  }
}
