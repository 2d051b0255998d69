import type { Artifact } from '@switchback-ml/schemas';
import type { ObservedState } from './actuation/actuation.ts';
import type { ControlState } from './control-state.ts';
import type { Intent } from './proposal/intent.ts';
import type { LfsObject } from './repository/repository.ts';

export type Artifacts = Readonly<Record<string, Artifact>>;

/**
 * The objects that must stay on disk whatever the budget: of what is served, is being rolled out, is last good, is
 * wanted by git, or is named by an open operation. Null before git was read: nothing is known yet.
 */
export function pinnedArtifacts(
  state: Pick<ControlState, 'desired' | 'rollouts' | 'open'>,
  { published }: Pick<ObservedState, 'published'>,
): LfsObject[] | null {
  if (state.desired === null) return null;
  const sets: Artifacts[] = [...servedArtifacts(state, published)];
  for (const { deployments } of state.desired.environments.values())
    for (const { wanted } of deployments.values()) if (wanted) sets.push(wanted.artifacts);
  for (const { intent } of state.open.list()) sets.push(...artifactsOf(intent, state.desired));
  return sets
    .flatMap(artifacts => Object.values(artifacts))
    .map(({ sha256, size }) => ({ digest: sha256, sizeBytes: size }));
}

/** Of what is served and what is being rolled out or is last good. */
export function* servedArtifacts(
  { rollouts }: Pick<ControlState, 'rollouts'>,
  published: ObservedState['published'],
): Generator<Artifacts> {
  for (const { routes } of published.values())
    for (const { backends } of Object.values(routes)) for (const { artifacts } of backends) yield artifacts;
  for (const { stable, candidate } of rollouts.values()) {
    if (stable) yield stable.artifacts;
    if (candidate) yield candidate.revision.artifacts;
  }
}

function artifactsOf(intent: Intent, desired: NonNullable<ControlState['desired']>): Artifacts[] {
  switch (intent.kind) {
    case 'rollback':
      return [intent.from.artifacts, intent.to.artifacts];
    case 'record':
      return [intent.settled.revision.artifacts];
    case 'promotion': {
      const versions = desired.models.get(intent.model)?.versions ?? [];
      return versions.filter(({ digest }) => digest === intent.digest).map(({ artifacts }) => artifacts);
    }
  }
}
