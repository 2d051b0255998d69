import type {
  ArtifactDigest,
  Backend,
  ModelName,
  ServingSnapshot,
  UnreadyReason,
} from '@switchback-ml/schemas';
import type { LoadedSet, WantedRevision } from './loaded-set.ts';
import type { Log } from './log.ts';
import { type AppliedRoute, type AppliedRoutes, applyRoutes } from './routing/apply.ts';

export interface ServingOptions {
  loaded: LoadedSet;
  log: Log;
  /** Called when every route of the newest snapshot is applied whole. */
  onApplied: () => void;
}

/** For anybody: codes and names, and nothing of what an error said. */
export interface ReadinessReason extends UnreadyReason {
  /** Absent: it is of no one model. */
  model?: string;
  /** Absent: it is of no one version. */
  version?: string;
}

export interface Readiness {
  isReady: boolean;
  /** Also of what is only degraded. */
  reasons: readonly ReadinessReason[];
}

export interface Startup {
  /** Once true it stays so. */
  isStarted: boolean;
  /** None once it has started. */
  reasons: readonly ReadinessReason[];
}

const STARTED: Startup = { isStarted: true, reasons: [] };
const NO_SNAPSHOT: ReadinessReason = {
  code: 'E_NO_SNAPSHOT',
  message: 'There is no serving snapshot yet, neither from the controller nor on disk.',
};

/** What this runtime serves: the newest snapshot, and the routes as they are applied of it so far. */
export class Serving {
  readonly #options: ServingOptions;
  #snapshot: ServingSnapshot | null = null;
  #routes: AppliedRoutes = new Map();
  #trouble: string | null = null;
  #isStarted = false;

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
    this.#isStarted ||= this.#isTried(snapshot);
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

  /** Whether requests of every route can be answered now, and what is amiss with any. */
  readiness(): Readiness {
    const models = Object.keys(this.#snapshot?.routes ?? {}) as ModelName[];
    return {
      isReady: this.#snapshot !== null && models.every(model => this.#answers(model)),
      reasons: [...this.#amiss(), ...this.#sleep()],
    };
  }

  /**
   * Whether the first snapshot was applied, for as long as this process lives. What was tried in vain is not waited
   * for: to be started again would not help it, and would take from the air what does answer.
   */
  startup(): Startup {
    // An artifact that could not be had is told by no change of state.
    if (this.#snapshot !== null) this.#isStarted ||= this.#isTried(this.#snapshot);
    return this.#isStarted ? STARTED : { isStarted: false, reasons: this.#amiss() };
  }

  /** Each version that shall get requests is ready, asleep as it may be, or is known to have failed. */
  #isTried({ routes }: ServingSnapshot): boolean {
    return Object.entries(routes).every(([model, { backends }]) =>
      backends.every(
        backend =>
          !this.#isMissing(model as ModelName, backend) ||
          this.#failureOf(model as ModelName, backend) !== undefined,
      ),
    );
  }

  #amiss(): ReadinessReason[] {
    const models = Object.keys(this.#snapshot?.routes ?? {}) as ModelName[];
    return [
      ...(this.#snapshot === null ? [NO_SNAPSHOT] : []),
      ...models.flatMap(model => this.#amissWith(model)),
      ...this.#troubles(),
    ];
  }

  #troubles(): ReadinessReason[] {
    if (this.#trouble === null) return [];
    const kept = this.#snapshot === null ? '' : '; the last good snapshot is served on';
    const message = `${this.#trouble.charAt(0).toUpperCase()}${this.#trouble.slice(1)}${kept}.`;
    return [{ code: 'E_SNAPSHOT', message }];
  }

  /** Nothing is amiss with who sleeps: it is ready, and said because the first request takes longer. */
  #sleep(): ReadinessReason[] {
    const asleep = this.#options.loaded.countAsleep();
    if (asleep === 0) return [];
    return [{ code: 'asleep', message: `${asleep} of the versions that are ready sleep until asked.` }];
  }

  /** A route does as long as one of its backends does: one bad canary must not take all models off the air. */
  #answers(model: ModelName): boolean {
    return this.#routed(model).some(backend => !this.#isMissing(model, backend));
  }

  #amissWith(model: ModelName): ReadinessReason[] {
    const routed = this.#routed(model);
    const missing = routed.filter(backend => this.#isMissing(model, backend));
    const awaited = (this.#snapshot?.routes[model]?.backends ?? []).filter(
      backend =>
        this.#isMissing(model, backend) && missing.every(({ revision }) => revision !== backend.revision),
    );
    const nobody = { code: 'E_MODEL_NOT_READY', model, message: `No version of ${model} is ready yet.` };
    return [
      ...(routed.length === 0 ? [nobody] : []),
      ...missing.map(backend => this.#unready(model, backend, 'has requests routed to it and is not ready')),
      ...awaited.map(backend => this.#unready(model, backend, 'is awaited')),
    ];
  }

  #unready(model: ModelName, backend: Backend, how: string): ReadinessReason {
    const { version } = backend;
    const code = this.#failureOf(model, backend) ?? 'E_MODEL_NOT_READY';
    return { code, model, version, message: `Version ${version} of ${model} ${how}.` };
  }

  /** Those that requests may go to now. */
  #routed(model: ModelName): readonly Backend[] {
    return this.#routes.get(model)?.backends.filter(({ weight }) => weight > 0) ?? [];
  }

  #isMissing(model: ModelName, { weight, revision }: Backend): boolean {
    return weight > 0 && !this.#options.loaded.isReady(model, revision);
  }

  /** The code of what went wrong with it last; undefined: nothing did. */
  #failureOf(model: ModelName, { revision }: Backend): string | undefined {
    return this.#options.loaded.find(model, revision)?.describe().failure?.code;
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
