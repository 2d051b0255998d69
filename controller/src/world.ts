import type { Actuation } from './actuation/actuation.ts';
import type { ArtifactFailures } from './artifact-failures.ts';
import type { Clock } from './clock.ts';
import type { DesiredState } from './desired/desired-state.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Log } from './log.ts';
import type { Observation } from './observation/observation.ts';
import type { PlanInput } from './plan/action.ts';
import type { RepositoryView, RepositoryWatch } from './repository/view.ts';
import type { Requests } from './requests.ts';

/** The ports as the cycle sees them: their latest values, never their waiting. */
export interface World {
  repository: RepositoryWatch;
  desired: (view: RepositoryView) => DesiredState;
  actuation: Actuation;
  observation: Observation;
  ledger: Ledger;
  requests: Requests;
  /** Of what runtimes asked for and could not be given. */
  artifactFailures: () => ArtifactFailures;
  /** SHA-256 of the inference keys of each environment. */
  keys: PlanInput['keys'];
  clock: Clock;
  log: Log;
}
