import { availableParallelism, totalmem } from 'node:os';
import type { Backend, Loaded, ModelName, RevisionId } from '@switchback-ml/schemas';
import type { Config } from './config.ts';
import { chooseEngineMemory } from './loading/engine-memory.ts';
import { type RememberedLoads, rememberedLoads } from './loading/remembered-loads.ts';
import { Revision, type RevisionOptions } from './loading/revision.ts';
import { Room } from './loading/room.ts';
import type { Standing } from './loading/slumber.ts';
import { Turns } from './loading/turns.ts';
import { Wakes } from './loading/wakes.ts';
import type { Running, RunningRoom } from './telemetry/running.ts';

const PULLS_AT_ONCE = 4;
/** How often idle room is looked for, and what was learned of loads is kept. */
const TIDY_EVERY_MS = 2000;
/** Of the budget: beyond it nothing is woken that nobody asked for. */
const IDLY_FILLED = 0.9;

export interface WantedRevision {
  model: ModelName;
  backend: Backend;
  /** Among others that get requests too, or copies of them: it has to be awake. */
  isPinned: boolean;
}

export interface LoadedSetOptions extends Omit<RevisionOptions, 'room' | 'wakes' | 'pulls' | 'onLoaded'> {
  config: Pick<Config, 'stateDir' | 'engineMemoryBytes'>;
  onUnloaded: (model: ModelName, revision: RevisionId) => void;
}

/** The revisions that are served here: those awake with their engines, and those asleep. */
export class LoadedSet {
  readonly #options: LoadedSetOptions;
  readonly #room: Room;
  readonly #wakes: Wakes;
  readonly #loads: RememberedLoads;
  readonly #revisionOptions: RevisionOptions;
  /** By model and revision: two models may well run the very same version. */
  readonly #revisions = new Map<string, Revision>();
  /** Unloading ones, until their last request is answered. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #tidying: Promise<void>;

  constructor(options: LoadedSetOptions) {
    const { clock, config, log } = options;
    this.#options = options;
    const memory = chooseEngineMemory({
      statedBytes: config.engineMemoryBytes,
      machineBytes: totalmem(),
      limitBytes: process.constrainedMemory(),
    });
    log.info({ bytes: memory.bytes, why: memory.why }, 'memory of engines is bounded');
    this.#room = new Room(memory.bytes, clock);
    this.#wakes = new Wakes({ atOnce: availableParallelism(), clock });
    this.#loads = rememberedLoads(config.stateDir, log);
    this.#revisionOptions = {
      ...options,
      room: this.#room,
      wakes: this.#wakes,
      pulls: new Turns({ atOnce: PULLS_AT_ONCE, clock }),
      onLoaded: ({ model, backend }, load) => this.#loads.remember(keyOf(model, backend.revision), load),
    };
    this.#tidying = this.#tidy(this.#closing.signal);
  }

  /** Begins to load what is missing, and to unload what is not named. Returns at once. */
  keepOnly(wanted: Iterable<WantedRevision>): void {
    const named = standings(wanted);
    const missing = [...named].filter(([key]) => !this.#revisions.has(key));
    // Those with most traffic first.
    missing.sort(([, a], [, b]) => b.weight - a.weight);
    const budget = { leftBytes: this.#idlyFreeBytes() };
    for (const [key, one] of missing) this.#revisions.set(key, this.#make(key, one, budget));
    for (const [key, revision] of this.#revisions) {
      const standing = named.get(key);
      if (standing === undefined) this.#unload(key, revision);
      else revision.stand(standing);
    }
  }

  find(model: ModelName, revision: RevisionId): Revision | undefined {
    return this.#revisions.get(keyOf(model, revision));
  }

  /** Whether it can answer: at once, or, asleep, as soon as it is awake. */
  isReady(model: ModelName, revision: RevisionId): boolean {
    return this.find(model, revision)?.state === 'ready';
  }

  countReady(): number {
    let engines = 0;
    for (const revision of this.#revisions.values()) engines += revision.engines;
    return engines;
  }

  countAsleep(): number {
    let asleep = 0;
    for (const { isAsleep } of this.#revisions.values()) if (isAsleep) asleep++;
    return asleep;
  }

  /** What metrics tell of each revision that is here. */
  running(): Running[] {
    const room: RunningRoom = {
      ...this.#room.state,
      wakeSeconds: this.#wakes.seconds,
      turnedAway: this.#wakes.turnedAway,
    };
    return [...this.#revisions.values()].map(({ model, backend, queue, pids, isAsleep, load, state }) => {
      const { version, revision } = backend;
      const memoryBytes = load?.bytes ?? null;
      return { model, version, revision, pids, queue, state, isAsleep, memoryBytes, room };
    });
  }

  describe(): Loaded[] {
    return Array.from(this.#revisions.values(), revision => revision.describe());
  }

  /** Unloads everything and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    // Written before anything is unloaded: what is unloaded by a stop is wanted again by the next start.
    await this.#tidying;
    this.keepOnly([]);
    await Promise.all(this.#leaving);
  }

  /** What was ready here before a restart is taken to be so again, where there is no memory to load it at once. */
  #make(key: string, { model, backend, ...standing }: Named, budget: { leftBytes: number }): Revision {
    const load = this.#loads.find(key) ?? null;
    const fits = load === null || load.bytes <= budget.leftBytes;
    if (load !== null && fits) budget.leftBytes -= load.bytes * (backend.engines ?? 1);
    return new Revision(model, backend, standing, fits ? null : load, this.#revisionOptions);
  }

  #idlyFreeBytes(): number {
    const { budgetBytes, heldBytes } = this.#room.state;
    return budgetBytes * IDLY_FILLED - heldBytes;
  }

  async #tidy(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(TIDY_EVERY_MS, signal);
      if (!signal.aborted) this.#wakeIdly();
      await this.#loads.keep();
    }
  }

  /** Wakes the one asleep that is asked most, as long as nobody has to sleep for it. */
  #wakeIdly(): void {
    // Whoever is waited for has the machine for itself.
    if (this.#wakes.underWay > 0) return;
    const now = this.#options.clock.elapsed();
    const freeBytes = this.#idlyFreeBytes();
    let best: Revision | null = null;
    let most = -1;
    for (const revision of this.#revisions.values()) {
      if (!revision.isAsleep || revision.expectedBytes > freeBytes) continue;
      const perSecond = revision.perSecond(now);
      if (perSecond <= most) continue;
      best = revision;
      most = perSecond;
    }
    if (best !== null && this.#room.hasFree(best.expectedBytes)) best.wakeIdly();
  }

  #unload(key: string, revision: Revision): void {
    this.#revisions.delete(key);
    if (!this.#closing.signal.aborted) this.#loads.forget(key);
    const { model, backend } = revision;
    const left = revision.close().then(() => {
      this.#leaving.delete(left);
      this.#options.onUnloaded(model, backend.revision);
      this.#options.log.info(
        { model, version: backend.version, revision: backend.revision },
        'revision was unloaded',
      );
    });
    this.#leaving.add(left);
  }
}

interface Named extends Standing {
  model: ModelName;
  backend: Backend;
}

/** One may be named more than once: by the newest snapshot, and by a route that still answers from an older one. */
function standings(wanted: Iterable<WantedRevision>): Map<string, Named> {
  const named = new Map<string, Named>();
  for (const { model, backend, isPinned } of wanted) {
    const key = keyOf(model, backend.revision);
    const known = named.get(key);
    if (known === undefined) named.set(key, { model, backend, weight: backend.weight, isPinned });
    else {
      known.weight = Math.max(known.weight, backend.weight);
      known.isPinned ||= isPinned;
    }
  }
  return named;
}

function keyOf(model: ModelName, revision: RevisionId): string {
  return `${model}/${revision}`;
}
