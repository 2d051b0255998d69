import type { Backend, Loaded, ModelName, RevisionId } from '@switchback-ml/schemas';
import { Revision, type RevisionOptions } from './loading/revision.ts';
import type { Running } from './telemetry/running.ts';

export interface WantedRevision {
  model: ModelName;
  backend: Backend;
}

export interface LoadedSetOptions extends RevisionOptions {
  onUnloaded: (model: ModelName, revision: RevisionId) => void;
}

/** The revisions in memory, each with its engines. */
export class LoadedSet {
  readonly #options: LoadedSetOptions;
  /** By model and revision: two models may well run the very same version. */
  readonly #revisions = new Map<string, Revision>();
  /** Unloading ones, until their last request is answered. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: LoadedSetOptions) {
    this.#options = options;
  }

  /** Begins to load what is missing, and to unload what is not named. Returns at once. */
  keepOnly(wanted: Iterable<WantedRevision>): void {
    const keys = new Set<string>();
    for (const { model, backend } of wanted) {
      const key = keyOf(model, backend.revision);
      keys.add(key);
      if (!this.#revisions.has(key)) this.#revisions.set(key, new Revision(model, backend, this.#options));
    }
    for (const [key, revision] of this.#revisions) if (!keys.has(key)) this.#unload(key, revision);
  }

  find(model: ModelName, revision: RevisionId): Revision | undefined {
    return this.#revisions.get(keyOf(model, revision));
  }

  isReady(model: ModelName, revision: RevisionId): boolean {
    return this.find(model, revision)?.state === 'ready';
  }

  countReady(): number {
    return [...this.#revisions.values()].reduce((sum, { engines }) => sum + engines, 0);
  }

  /** What metrics tell of each revision that is here. */
  running(): Running[] {
    return [...this.#revisions.values()].map(({ model, backend, queue, pids }) => {
      const { version, revision } = backend;
      return { model, version, revision, pids, queue };
    });
  }

  describe(): Loaded[] {
    return [...this.#revisions.values()].map(revision => revision.describe());
  }

  /** Unloads everything and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.keepOnly([]);
    await Promise.all(this.#leaving);
  }

  #unload(key: string, revision: Revision): void {
    this.#revisions.delete(key);
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

function keyOf(model: ModelName, revision: RevisionId): string {
  return `${model}/${revision}`;
}
