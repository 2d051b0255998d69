import type { RevisionId } from '@switchback-ml/schemas';
import type { Heard } from './observation/observation.ts';
import type { Served } from './rollout/rollout-state.ts';

/** By the words of all runtimes of an environment. A revision's weight is the most that one of them gives it. */
export function servedBy(heard: readonly Heard[]): Served {
  return (environment, model) => {
    const words = heard.filter(word => word.environment === environment);
    if (words.length === 0) return null;
    const weights = new Map<RevisionId, number>();
    for (const { observation } of words)
      for (const { revision, weight } of observation.routes[model]?.backends ?? [])
        weights.set(revision, Math.max(weight, weights.get(revision) ?? 0));
    return weights;
  };
}
