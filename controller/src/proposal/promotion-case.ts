import type { EnvironmentName, Instant, ModelName } from '@switchback-ml/schemas';
import type {
  DesiredDeployment,
  DesiredEnvironment,
  DesiredState,
  DesiredVersion,
  RepositoryHistory,
} from '../desired/desired-state.ts';
import type { RolloutState, Subject } from '../rollout/rollout-state.ts';

export interface PromotionInput {
  desired: DesiredState;
  history: RepositoryHistory;
  states: ReadonlyMap<Subject, RolloutState>;
  /** Requests that the newest revision of a deployment has answered since it entered. */
  requests: ReadonlyMap<Subject, number>;
  now: Instant;
}

export interface PromotionCase {
  environment: DesiredEnvironment;
  model: ModelName;
  upstream: EnvironmentName;
  version: DesiredVersion;
  /** What the environment runs now, if it can be read. */
  present: DesiredDeployment | null;
}
