import type { Instant } from '@switchback-ml/schemas';
import type { DesiredDeployment, DesiredState, RevisionSpec } from './desired/desired-state.ts';
import { revision } from './desired/identity.ts';
import type { Observation } from './observation/observation.ts';
import { settledFrom } from './proposal/records.ts';
import { pastReleases } from './proposal/release-history.ts';
import type { RepositoryView } from './repository/view.ts';
import { isHeld } from './rollout/held.ts';
import { recover } from './rollout/recover.ts';
import { type RolloutState, type Settled, type Subject, subjectOf } from './rollout/rollout-state.ts';
import { servedBy } from './served.ts';

/** Known states, and for deployments without one what git and the runtimes remember of them. */
export function recoverStates(
  known: ReadonlyMap<Subject, RolloutState>,
  desired: DesiredState,
  view: RepositoryView,
  observation: Pick<Observation, 'latest'>,
  now: Instant,
): ReadonlyMap<Subject, RolloutState> {
  const missing = [...desired.environments.values()].flatMap(environment =>
    [...environment.deployments.values()]
      .filter(({ model, wanted }) => wanted && !known.has(subjectOf(environment.name, model)))
      .map(deployment => ({ environment, deployment })),
  );
  if (missing.length === 0) return known;

  const records = recordsBySubject(view);
  const served = servedBy(observation.latest().heard, now);
  const states = new Map(known);
  for (const { environment, deployment } of missing) {
    const { model, wanted, holds } = deployment;
    if (!wanted) continue;
    const subject = subjectOf(environment.name, model);
    const state = recover({
      environment: environment.name,
      model,
      wanted,
      isHeld: isHeld(wanted, holds, now),
      commit: desired.commit,
      records: records.get(subject) ?? [],
      before: releaseBefore(desired, view, deployment, wanted, now),
      served: served(environment.name, model),
      now,
    });
    if (state) states.set(subject, state);
  }
  return states;
}

function recordsBySubject(view: RepositoryView): Map<Subject, Settled[]> {
  const found = new Map<Subject, Settled[]>();
  for (const { body } of view.records) {
    const settled = settledFrom(body);
    if (settled) found.set(settled.subject, [...(found.get(settled.subject) ?? []), settled]);
  }
  return found;
}

/** The newest earlier release that no hold names, with the settings that hold now. */
function releaseBefore(
  desired: DesiredState,
  view: RepositoryView,
  { model, releasePath, holds }: DesiredDeployment,
  wanted: RevisionSpec,
  now: Instant,
): RevisionSpec | null {
  const versions = desired.models.get(model)?.versions ?? [];
  const earlier = pastReleases(releasePath, view.history).map(({ version: label }) => {
    const version = label === wanted.version ? undefined : versions.find(known => known.label === label);
    return version ? revision(version, wanted.settings) : null;
  });
  return earlier.findLast(spec => spec !== null && !isHeld(spec, holds, now)) ?? null;
}
