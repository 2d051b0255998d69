import type { ArtifactDigest } from '@switchback-ml/schemas';
import type { ObservedState } from '../actuation/actuation.ts';
import type { ControlState } from '../control-state.ts';
import { type Artifacts, servedArtifacts } from '../pinned-artifacts.ts';
import type { LfsObject } from '../repository/repository.ts';

/** The object of this digest, if what is served or what git holds names it; anything else is nobody's business. */
export function namedArtifact(
  sha256: ArtifactDigest,
  state: Pick<ControlState, 'desired' | 'rollouts'>,
  { published }: Pick<ObservedState, 'published'>,
): LfsObject | null {
  for (const artifacts of named(state, published))
    for (const artifact of Object.values(artifacts))
      if (artifact.sha256 === sha256) return { digest: sha256, sizeBytes: artifact.size };
  return null;
}

/** What is served comes first: it is few, and what runtimes ask for. */
function* named(
  { desired, rollouts }: Pick<ControlState, 'desired' | 'rollouts'>,
  published: ObservedState['published'],
): Generator<Artifacts> {
  yield* servedArtifacts({ rollouts }, published);
  for (const { versions } of desired?.models.values() ?? [])
    for (const { artifacts } of versions) yield artifacts;
}
