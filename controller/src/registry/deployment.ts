import type {
  DeploymentStatus,
  EnvironmentName,
  Instant,
  ModelName,
  Problem,
  RuntimeObservation,
  Verdict,
  VersionLabel,
  Wait,
} from '@switchback-ml/schemas';
import type { ObservedRuntime } from '../actuation/actuation.ts';
import type { DesiredDeployment, DesiredEnvironment } from '../desired/desired-state.ts';
import type { MissingArtifact } from '../missing-artifacts.ts';
import type { Operation } from '../operation/open-operations.ts';
import type { RolloutState, Subject } from '../rollout/rollout-state.ts';
import type { FirstSeen } from './first-seen.ts';

/** Everything known of one deployment, from which its status is said. */
export interface Deployment {
  subject: Subject;
  environment: EnvironmentName;
  model: ModelName;
  /** What git asks for; null where the environment's own manifest can't be read. */
  desired: DesiredDeployment | null;
  /** Null where the environment's own manifest can't be read. */
  policy: Pick<DesiredEnvironment, 'mode' | 'freezes'> | null;
  /** Null until a cycle has taken it up. */
  rollout: RolloutState | null;
  verdict: Verdict | null;
  /** Open rollback of this deployment. */
  rollback: Operation | null;
  /** The last rollback of it that ended or was withheld; null: none that is known of. */
  endedRollback: Operation | null;
  promotionWaits: readonly Wait[];
  /** Versions that are newer than what git asks for, and why they are kept out; newest first. */
  newerHeld: readonly HeldVersion[];
  runtime: ObservedRuntime | null;
  backends: DeploymentStatus['backends'];
  /** Of those revisions, what the controller could not get. */
  missing: readonly MissingArtifact[];
  /** The latest word of each instance that runs there now. */
  words: readonly RuntimeObservation[];
  /** What keeps its manifests from being read. */
  problems: readonly Problem[];
}

export interface HeldVersion {
  version: VersionLabel;
  hold: DesiredDeployment['holds'][number];
}

/** What all deployments share. */
export interface Surroundings {
  branch: string;
  /** When the present head was first seen. */
  headSince: Instant;
  /** Why the remote can't be reached now; null: it can. */
  remoteFailure: string | null;
  seen: FirstSeen;
  now: Instant;
}
