import { createHash } from 'node:crypto';
import {
  API_VERSION,
  ArtifactDigest,
  canonicalJson,
  type EnvironmentName,
  type ServingSnapshot,
} from '@switchback-ml/schemas';
import type { Plan, PlanInput } from './action.ts';

/**
 * Target against observed. Snapshots come before starts, so that a runtime that starts finds its document; making
 * a plan again after applying it gives an empty one.
 */
export function plan({ target, commit, keys, replace, observed }: PlanInput): Plan {
  const running = new Set(observed.runtimes.map(({ environment }) => environment));
  const publish: Plan[number][] = [];
  const start: Plan[number][] = [];
  for (const [environment, routes] of target) {
    if (!routes) continue;
    const snapshot = snapshotOf(
      environment,
      commit,
      Object.fromEntries([...routes].map(([model, backends]) => [model, { backends: [...backends] }])),
      keys.get(environment) ?? [],
    );
    if (observed.published.get(environment)?.generation !== snapshot.generation) {
      publish.push({ kind: 'publish-snapshot', environment, snapshot });
    }
    if (!running.has(environment)) start.push({ kind: 'start-runtime', environment });
  }
  const stop = [...running]
    .filter(environment => !target.has(environment))
    .map(environment => ({
      kind: 'stop-runtime' as const,
      environment,
      reason: 'the environment is gone from git',
    }));
  const anew = [...replace]
    .filter(([environment]) => running.has(environment) && target.has(environment))
    .map(([environment, reason]) => ({ kind: 'replace-runtime' as const, environment, reason }));
  return [...publish, ...start, ...anew, ...stop];
}

function snapshotOf(
  environment: EnvironmentName,
  commit: ServingSnapshot['commit'],
  routes: ServingSnapshot['routes'],
  keys: readonly string[],
): ServingSnapshot {
  const content = {
    apiVersion: API_VERSION,
    kind: 'ServingSnapshot' as const,
    environment,
    commit,
    routes,
    keys: keys.map(key => ArtifactDigest.parse(key)),
  };
  return {
    ...content,
    generation: createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 16),
  } as ServingSnapshot;
}
