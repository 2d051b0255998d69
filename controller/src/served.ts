import type { Instant, RevisionId } from '@switchback-ml/schemas';
import type { Heard } from './observation/observation.ts';
import type { Served } from './rollout/rollout-state.ts';

/** Whoever has said nothing for longer answers nobody, as far as is known. */
const SILENT_MS = 15_000;

/** By the words of all runtimes of an environment. A revision's weight is the most that one of them gives it. */
export function servedBy(heard: readonly Heard[], now: Instant): Served {
  return (environment, model) => {
    const words = heard.filter(word => word.environment === environment);
    if (words.length === 0) return null;
    const weights = new Map<RevisionId, number>();
    for (const { observation } of words.filter(({ heardAt }) => now - heardAt <= SILENT_MS))
      for (const { revision, weight } of observation.routes[model]?.backends ?? [])
        weights.set(revision, Math.max(weight, weights.get(revision) ?? 0));
    return weights;
  };
}
