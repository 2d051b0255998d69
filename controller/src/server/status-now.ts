import type { Status } from '@switchback-ml/schemas';
import type { FirstSeen } from '../registry/first-seen.ts';
import { makeStatus } from '../registry/status.ts';
import type { ServerWorld } from './world.ts';

/** @param seen remembers between calls since when a claim holds; one for all who ask */
export function statusNow(world: ServerWorld, seen: FirstSeen): Status {
  const { state, repository, repositoryUrl, branch } = world;
  return makeStatus({
    state,
    view: repository.latest(),
    contact: repository.contact(),
    observed: world.actuation.observe(),
    heard: world.observation.latest().heard,
    artifactFailures: world.artifactFailures(),
    repositoryUrl,
    branch,
    address: world.address(),
    seen,
    now: world.clock.now(),
  });
}
