import type {
  DeploymentStatus,
  EnvironmentName,
  Instant,
  ModelName,
  Problem,
  RuntimeObservation,
  Verdict,
  Wait,
} from '@switchback-ml/schemas';
import type { ObservedRuntime } from '../actuation/actuation.ts';
import type { DesiredDeployment, DesiredEnvironment } from '../desired/desired-state.ts';
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
  promotionWaits: readonly Wait[];
  runtime: ObservedRuntime | null;
  backends: DeploymentStatus['backends'];
  /** The latest word of each instance that runs there now. */
  words: readonly RuntimeObservation[];
  /** What keeps its manifests from being read. */
  problems: readonly Problem[];
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
