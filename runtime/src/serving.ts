import type { ArtifactDigest, Backend, ModelName, ServingSnapshot } from '@switchback-ml/schemas';
import type { LoadedSet, WantedRevision } from './loaded-set.ts';
import type { Log } from './log.ts';
import { type AppliedRoute, type AppliedRoutes, applyRoutes } from './routing/apply.ts';

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
  #trouble: string | null = null;

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

  /** Why a newer snapshot can't be had or used, if that is so: the last good one is served on. */
  troubled(trouble: string | null): void {
    this.#trouble = trouble;
  }

  /** What the newest snapshot wants and what routes still answer from is made of. */
  artifacts(): ReadonlySet<ArtifactDigest> {
    const digests = new Set<ArtifactDigest>();
    for (const { backend } of this.#wanted())
      for (const { sha256 } of Object.values(backend.artifacts)) digests.add(sha256);
    return digests;
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
      const weights = weightsOf(route);
      const isNews = JSON.stringify(weights) !== JSON.stringify(weightsOf(before.get(model)));
      // Each new commit is a new generation of every route; only who gets how much is worth a line.
      const level = isNews ? 'info' : 'debug';
      this.#options.log[level]({ model, generation: route.generation, weights }, 'route applied');
    }
    this.#load();
    if (!wasWhole && this.isWhole()) this.#options.onApplied();
  }

  /** Whether requests of every route can be answered now, and what is amiss with any, in words. */
  readiness(): Readiness {
    const trouble = this.#trouble === null ? [] : [this.#trouble];
    if (this.#snapshot === null) return { isReady: false, reasons: ['no snapshot yet', ...trouble] };
    const models = Object.keys(this.#snapshot.routes).map(name => this.#readinessOf(name as ModelName));
    return {
      isReady: models.every(({ isReady }) => isReady),
      reasons: [...models.flatMap(({ reasons }) => reasons), ...this.#sleep(), ...trouble],
    };
  }

  /** Nothing is amiss with who sleeps: it is ready, and said because the first request takes longer. */
  #sleep(): string[] {
    const asleep = this.#options.loaded.countAsleep();
    return asleep === 0 ? [] : [`asleep until asked: ${asleep} of the versions that are ready`];
  }

  /** A route answers as long as one of its backends does: one bad canary must not take all models off the air. */
  #readinessOf(model: ModelName): Readiness {
    const isMissing = ({ weight, revision }: Backend): boolean =>
      weight > 0 && !this.#options.loaded.isReady(model, revision);
    const applied = this.#routes.get(model)?.backends.filter(({ weight }) => weight > 0) ?? [];
    const missing = applied.filter(isMissing);
    const awaited = (this.#snapshot?.routes[model]?.backends ?? []).filter(
      backend => isMissing(backend) && missing.every(({ revision }) => revision !== backend.revision),
    );
    const isReady = applied.length > missing.length;
    return {
      isReady,
      reasons: [
        ...(applied.length === 0 ? [`${model}: no version is ready`] : []),
        ...missing.map(
          backend => `${model}: version ${backend.version} is not ready${this.#why(model, backend)}`,
        ),
        ...awaited.map(
          backend => `${model}: version ${backend.version} is awaited${this.#why(model, backend)}`,
        ),
      ],
    };
  }

  /** By code alone: readiness is told to anybody. */
  #why(model: ModelName, { revision }: Backend): string {
    const failure = this.#options.loaded.find(model, revision)?.describe().failure;
    return failure === undefined ? '' : ` (${failure.code})`;
  }

  isWhole(): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === null) return false;
    return Object.keys(snapshot.routes).every(
      model => this.#routes.get(model as ModelName)?.generation === snapshot.generation,
    );
  }

  /** Keeps in memory what is wanted, and nothing else. */
  #load(): void {
    this.#options.loaded.keepOnly(this.#wanted());
  }

  /** What the snapshot wants and what routes still answer from. */
  #wanted(): WantedRevision[] {
    const wanted = Object.entries(this.#snapshot?.routes ?? {}).map(
      entry => entry as [ModelName, { backends: Backend[] }],
    );
    return [...wanted, ...this.#routes].flatMap(([model, { backends }]) => {
      const isRollout = backends.filter(({ weight }) => weight > 0).length > 1;
      return backends.map((backend): WantedRevision => {
        const { weight, shadow = 0 } = backend;
        return { model, backend, isPinned: (isRollout && weight > 0) || shadow > 0 };
      });
    });
  }
}

/** By revision, since two of one version may differ in their settings. */
function weightsOf(route: AppliedRoute | undefined): Record<string, number> {
  return Object.fromEntries(
    route?.backends.map(({ version, revision, weight }) => [`${version} (${revision})`, weight]) ?? [],
  );
}
