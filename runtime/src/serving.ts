import type { Backend, ModelName, ServingSnapshot } from '@switchback-ml/schemas';
import type { LoadedSet, WantedRevision } from './loaded-set.ts';
import type { Log } from './log.ts';
import { type AppliedRoutes, applyRoutes } from './routing/apply.ts';

export interface ServingOptions {
  loaded: LoadedSet;
  log: Log;
  /** Called when every route of the newest snapshot is applied whole. */
  onApplied: () => void;
}

export interface Readiness {
  isReady: boolean;
  /** Also of what is only degraded. */
  reasons: readonly string[];
}

/** What this runtime serves: the newest snapshot, and the routes as they are applied of it so far. */
export class Serving {
  readonly #options: ServingOptions;
  #snapshot: ServingSnapshot | null = null;
  #routes: AppliedRoutes = new Map();

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  get snapshot(): ServingSnapshot | null {
    return this.#snapshot;
  }

  get routes(): AppliedRoutes {
    return this.#routes;
  }

  /** Takes a snapshot as what is wanted from now on. Routes follow as their backends get ready. */
  accept(snapshot: ServingSnapshot): void {
    this.#snapshot = snapshot;
    this.#options.log.info(
      {
        generation: snapshot.generation,
        commit: snapshot.commit,
        routes: Object.keys(snapshot.routes).length,
      },
      'snapshot received',
    );
    this.#load();
    this.settle();
  }

  /** Applies what can be applied now; to be called whenever a revision's state changed. */
  settle(): void {
    const snapshot = this.#snapshot;
    if (snapshot === null) return;
    const before = this.#routes;
    const wasWhole = this.isWhole();
    this.#routes = applyRoutes(before, snapshot, (model, revision) =>
      this.#options.loaded.isReady(model, revision),
    );
    if (
      [...this.#routes].every(([model, route]) => before.get(model) === route) &&
      before.size === this.#routes.size
    )
      return;

    for (const [model, route] of this.#routes) {
      if (before.get(model) === route) continue;
      const weights = Object.fromEntries(route.backends.map(({ version, weight }) => [version, weight]));
      this.#options.log.info({ model, generation: route.generation, weights }, 'route applied');
    }
    this.#load();
    if (!wasWhole && this.isWhole()) this.#options.onApplied();
  }

  /** Whether requests of every route can be answered now, and what is amiss with any, in words. */
  readiness(): Readiness {
    if (this.#snapshot === null) return { isReady: false, reasons: ['no snapshot yet'] };
    const models = Object.keys(this.#snapshot.routes).map(name => this.#readinessOf(name as ModelName));
    return {
      isReady: models.every(({ isReady }) => isReady),
      reasons: models.flatMap(({ reasons }) => reasons),
    };
  }

  /** A route answers as long as one of its backends does: one bad canary must not take all models off the air. */
  #readinessOf(model: ModelName): Readiness {
    const backends = this.#routes.get(model)?.backends.filter(({ weight }) => weight > 0) ?? [];
    const [ready, missing] = [true, false].map(wanted =>
      backends.filter(({ revision }) => this.#options.loaded.isReady(model, revision) === wanted),
    );
    if (backends.length === 0) return { isReady: false, reasons: [`${model}: no version is ready`] };
    return {
      isReady: ready!.length > 0,
      reasons: missing!.map(({ version }) => `${model}: version ${version} is not ready`),
    };
  }

  isWhole(): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === null) return false;
    return Object.keys(snapshot.routes).every(
      model => this.#routes.get(model as ModelName)?.generation === snapshot.generation,
    );
  }

  /** Keeps in memory what the snapshot wants and what routes still answer from, and nothing else. */
  #load(): void {
    const wanted = Object.entries(this.#snapshot?.routes ?? {}).map(
      entry => entry as [ModelName, { backends: Backend[] }],
    );
    const all = [...wanted, ...this.#routes].flatMap(([model, { backends }]) =>
      backends.map((backend): WantedRevision => ({ model, backend })),
    );
    this.#options.loaded.keepOnly(all);
  }
}
