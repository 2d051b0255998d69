import { createHash } from 'node:crypto';
import {
  API_VERSION,
  ArtifactDigest,
  type Backend,
  type CommitSha,
  type EnvironmentName,
  type Route,
  type ServingSnapshot,
} from '@switchback-ml/schemas';
import type { Routes } from '../rollout/rollout.ts';
import type { Plan, PlanInput } from './action.ts';

/**
 * Target against observed. Snapshots come before starts, so that a runtime that starts finds its document; making
 * a plan again after applying it gives an empty one.
 */
export function plan({ target, commit, keys, local, replace, observed }: PlanInput): Plan {
  const running = new Set(observed.runtimes.map(({ environment }) => environment));
  const publish: Plan[number][] = [];
  const start: Plan[number][] = [];
  for (const [environment, routes] of target) {
    if (!routes) continue;
    const wanted = { environment, commit, routes, keys: keys.get(environment) ?? [] };
    const published = observed.published.get(environment);
    if (!published || !isPublished(wanted, published))
      publish.push({ kind: 'publish-snapshot', environment, snapshot: snapshotOf(wanted) });
    const asked = local?.get(environment);
    const isAsked = asked === undefined || isSame(observed.targets?.get(environment), asked);
    if (!running.has(environment) || !isAsked)
      start.push({ kind: 'start-runtime', environment, ...(asked && { target: asked }) });
  }
  const stop = [...running]
    .filter(environment => !target.has(environment))
    .map(environment => ({
      kind: 'stop-runtime' as const,
      environment,
      reason: 'the environment is gone from git',
    }));
  const there = new Set(observed.runtimes.map(({ instanceId }) => instanceId));
  const anew = [...replace]
    .filter(([instanceId, { environment }]) => there.has(instanceId) && target.has(environment))
    .map(([instanceId, why]) => ({ kind: 'replace-runtime' as const, instanceId, ...why }));
  return [...publish, ...start, ...anew, ...stop];
}

interface Wanted {
  environment: EnvironmentName;
  commit: CommitSha;
  routes: Routes;
  keys: readonly string[];
}

/**
 * Whether a snapshot says just what is wanted. Most passes find that it does, so nothing is hashed for it: bytes and
 * signature of a backend follow from its digest, and the rest is compared as it is.
 */
function isPublished({ commit, routes, keys }: Wanted, published: ServingSnapshot): boolean {
  if (published.commit !== commit || !isSame(published.keys, keys)) return false;
  if (Object.keys(published.routes).length !== routes.size) return false;
  for (const [model, route] of routes) if (!isSameRoute(route, published.routes[model])) return false;
  return true;
}

function isSameRoute(one: Route, other: Route | undefined): boolean {
  return (
    other !== undefined &&
    one.backends.length === other.backends.length &&
    one.backends.every((backend, index) => isSameBackend(backend, other.backends[index])) &&
    isSame(one.match, other.match) &&
    isSame(one.stickyBy, other.stickyBy) &&
    isSame(one.fallback, other.fallback)
  );
}

function isSameBackend(one: Backend, other: Backend | undefined): boolean {
  return (
    other !== undefined &&
    one.revision === other.revision &&
    one.weight === other.weight &&
    one.version === other.version &&
    one.digest === other.digest &&
    one.engines === other.engines &&
    one.shadow === other.shadow &&
    isSame(one.limits, other.limits) &&
    isSame(one.indicators, other.indicators) &&
    isSame(one.batching, other.batching) &&
    isSame(one.cache, other.cache)
  );
}

/** Of plain values that are made by the same lines, in the same order. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function snapshotOf({ environment, commit, routes, keys }: Wanted): ServingSnapshot {
  const content = {
    apiVersion: API_VERSION,
    kind: 'ServingSnapshot' as const,
    environment,
    commit,
    routes: Object.fromEntries([...routes].sort(byName)),
    keys: keys.map(key => ArtifactDigest.parse(key)),
  };
  // Everything in it was made by the same lines in the same order, so equal content is equal text.
  const generation = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
  return { ...content, generation } as ServingSnapshot;
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}
