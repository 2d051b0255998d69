import type {
  Backend,
  Fallback,
  ModelName,
  RevisionId,
  Route,
  ServingSnapshot,
} from '@switchback-ml/schemas';
import { type Choice, choiceOf, totalWeight } from './choice.ts';

/** What one route answers from now. */
export interface AppliedRoute {
  /** Of the snapshot that these backends and weights are of; PARTIAL while none could be applied whole. */
  generation: string;
  backends: readonly Backend[];
  /** What is said, and marked as such, when no backend could answer; null: the error is. */
  fallback: Fallback | null;
  /** How its requests find their backends. */
  choice: Choice;
}
export type AppliedRoutes = ReadonlyMap<ModelName, AppliedRoute>;

/** Whether a revision can answer at once. */
export type IsReady = (model: ModelName, revision: RevisionId) => boolean;

/** In place of a generation: the route serves from those backends that are ready, having served nothing before. */
export const PARTIAL = 'partial';

/**
 * The routes to answer from, given those answered from until now. Each route is on its own: it takes the new
 * backends when every one that shall get requests is ready, and keeps the old ones until then.
 */
export function applyRoutes(
  applied: AppliedRoutes,
  snapshot: ServingSnapshot,
  isReady: IsReady,
): AppliedRoutes {
  const next = new Map<ModelName, AppliedRoute>();
  for (const [name, wanted] of Object.entries(snapshot.routes)) {
    const model = name as ModelName;
    const route = applyRoute(applied.get(model), model, wanted, snapshot.generation, isReady);
    if (route !== undefined) next.set(model, route);
  }
  return next;
}

function applyRoute(
  old: AppliedRoute | undefined,
  model: ModelName,
  wanted: Route,
  generation: string,
  isReady: IsReady,
): AppliedRoute | undefined {
  if (old?.generation === generation) return old;
  const routed = wanted.backends.filter(backend => backend.weight > 0);
  const ready = routed.filter(backend => isReady(model, backend.revision));
  if (ready.length > 0 && ready.length === routed.length)
    return routeFrom(model, generation, wanted, wanted.backends);
  if (old !== undefined && old.generation !== PARTIAL) return old;
  return carriesHalf(ready, routed) ? routeFrom(model, PARTIAL, wanted, ready) : old;
}

function routeFrom(
  model: ModelName,
  generation: string,
  wanted: Route,
  backends: readonly Backend[],
): AppliedRoute {
  const { fallback = null } = wanted;
  return { generation, backends, fallback, choice: choiceOf(model, wanted, backends) };
}

/**
 * A route that served nothing yet need not wait for all: better the stable one alone than nobody. But never on a
 * few canary percent alone, which would turn them into everything.
 */
function carriesHalf(ready: readonly Backend[], routed: readonly Backend[]): boolean {
  return ready.length > 0 && totalWeight(ready) * 2 >= totalWeight(routed);
}
