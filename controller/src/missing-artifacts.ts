import type { ArtifactDigest, Instant, NewEvent, VersionLabel } from '@switchback-ml/schemas';
import type { ArtifactFailure, ArtifactFailures } from './artifact-failures.ts';
import type { DesiredState } from './desired/desired-state.ts';
import type { RolloutState, Subject } from './rollout/rollout-state.ts';

/** A file that a revision needs and the controller could not get. */
export interface MissingArtifact extends ArtifactFailure {
  version: VersionLabel;
  digest: ArtifactDigest;
  /** In the model repository. */
  path: string;
}

/** What is missing of the revisions that a deployment has or is about to have. */
export function missingArtifacts(
  rollout: Pick<RolloutState, 'model' | 'stable' | 'candidate'> | null,
  failures: ArtifactFailures,
  models: DesiredState['models'] | undefined,
): MissingArtifact[] {
  if (rollout === null || failures.size === 0) return [];
  const { model, stable, candidate } = rollout;
  const folder = models?.get(model)?.folder ?? model;
  return [stable, candidate?.revision].flatMap(revision =>
    Object.entries(revision?.artifacts ?? {}).flatMap(([name, { sha256 }]) => {
      const failure = failures.get(sha256);
      if (!revision || !failure) return [];
      const path = `models/${folder}/versions/${revision.version}/${name}`;
      return [{ ...failure, version: revision.version, digest: sha256, path }];
    }),
  );
}

/** What was told to be missing, by deployment and path, and with which code. */
export type ToldMissing = ReadonlyMap<string, Told>;
type Told = Pick<MissingArtifact, 'digest' | 'path' | 'code'> & { subject: Subject };

/** What is missing is told once for each reason, and once more when it has come. */
export function artifactEvents(
  states: ReadonlyMap<Subject, RolloutState>,
  {
    failures,
    models,
    before,
  }: { failures: ArtifactFailures; models: DesiredState['models']; before: ToldMissing },
  now: Instant,
): { told: ToldMissing; events: NewEvent[] } {
  if (failures.size === 0 && before.size === 0) return { told: before, events: [] };
  const told = new Map<string, Told>();
  const events: NewEvent[] = [];
  for (const [subject, state] of states)
    for (const { version, digest, path, code, message } of missingArtifacts(state, failures, models)) {
      const key = `${subject} ${path}`;
      told.set(key, { digest, code, subject, path });
      if (before.get(key)?.code === code) continue;
      const data = { version, file: path, code, message };
      events.push({ at: now, type: 'artifact.missing', subject, actor: 'controller', data });
    }
  for (const [key, { digest, subject, path }] of before)
    if (!told.has(key) && !failures.has(digest))
      events.push({ at: now, type: 'artifact.found', subject, actor: 'controller', data: { file: path } });
  return { told, events };
}
