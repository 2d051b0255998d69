import type { DeploymentStatus, ModelName, RevisionId, RuntimeObservation } from '@switchback-ml/schemas';
import { shares } from '../plan/shares.ts';
import { backendsOf } from '../rollout/rollout.ts';
import type { RolloutState } from '../rollout/rollout-state.ts';

type BackendStatus = DeploymentStatus['backends'][number];

/** Worst first: a revision is as far as the instance that is furthest behind. */
const BEHIND = ['failed', 'unknown', 'pulling', 'loading', 'ready'] as const;

/** The target's revisions and weights, with what the runtimes attest of each. */
export function backendStatuses(
  rollout: RolloutState | null,
  words: readonly RuntimeObservation[],
): BackendStatus[] {
  if (!rollout) return [];
  return backendsOf(rollout).map(({ version, revision, weight }) => ({
    version,
    revision,
    weight,
    role: revision === rollout.candidate?.revision.id ? 'candidate' : 'stable',
    ...attested(rollout.model, revision, words),
  }));
}

function attested(
  model: ModelName,
  revision: RevisionId,
  words: readonly RuntimeObservation[],
): Pick<BackendStatus, 'state' | 'failure'> {
  const said = words.map(({ loaded }) =>
    loaded.find(entry => entry.model === model && entry.revision === revision),
  );
  const state = BEHIND.find(kind => said.some(entry => (entry?.state ?? 'unknown') === kind)) ?? 'unknown';
  const failure = said.find(entry => entry?.state === 'failed')?.failure;
  return { state, ...(state === 'failed' && failure ? { failure: failure.message } : {}) };
}

/** What the instances say they answer from now: revisions with a share of the requests, in words and to compare. */
export function servedShares(model: ModelName, words: readonly RuntimeObservation[]): string[] {
  return words.flatMap(({ routes }) => {
    const route = routes[model];
    return route ? [shares(route.backends)] : [];
  });
}
