import type { Instant, ModelName } from '@switchback-ml/schemas';
import type {
  DesiredEnvironment,
  DesiredState,
  DesiredVersion,
  RepositoryHistory,
} from '../desired/desired-state.ts';
import { isHeld } from '../rollout/held.ts';
import { everReleased } from './release-history.ts';

/**
 * The git half of the promotion rule: the environment's first-parent history never held the version, no hold names
 * its digest, and its present release is readable (an unreadable one is somebody's unfinished edit).
 */
export function mayEnter(
  { desired, history, now }: { desired: DesiredState; history: RepositoryHistory; now: Instant },
  environment: DesiredEnvironment,
  model: ModelName,
  version: DesiredVersion,
): boolean {
  const present = environment.deployments.get(model);
  if (present && !present.wanted) return false;
  // What runs is in the history too; said first, so that at rest no pass reads former releases again.
  if (present?.wanted?.digest === version.digest) return false;
  const holds = present?.holds ?? environment.otherHolds?.get(model) ?? [];
  if (isHeld({ digest: version.digest, settingsDigest: null }, holds, now)) return false;
  const versions = desired.models.get(model)?.versions ?? [];
  return !everReleased(releasePath(desired, environment, model), version, versions, history);
}

/** Where the release stands, or would stand. */
export function releasePath(
  desired: DesiredState,
  environment: Pick<DesiredEnvironment, 'name'> & Partial<Pick<DesiredEnvironment, 'deployments'>>,
  model: ModelName,
): string {
  const folder = desired.models.get(model)?.folder ?? model;
  return (
    environment.deployments?.get(model)?.releasePath ??
    `environments/${environment.name}/${folder}/release.yaml`
  );
}
