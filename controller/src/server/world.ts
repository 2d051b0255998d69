import type { Event } from '@switchback-ml/schemas';
import type { Registry } from 'prom-client';
import type { Actuation } from '../actuation/actuation.ts';
import type { ArtifactFailures } from '../artifact-failures.ts';
import type { Clock } from '../clock.ts';
import type { ControlState } from '../control-state.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';
import type { Observation } from '../observation/observation.ts';
import type { LfsObject } from '../repository/repository.ts';
import type { RepositoryWatch } from '../repository/view.ts';
import type { Requests } from '../requests.ts';

/** What the management API reads and asks; it changes nothing itself. */
export interface ServerWorld {
  /** What the cycle remembers, as it stands after the last pass. */
  state: ControlState;
  repository: RepositoryWatch;
  repositoryUrl: string;
  branch: string;
  actuation: Pick<Actuation, 'observe' | 'snapshot'>;
  observation: Pick<Observation, 'latest'>;
  ledger: Pick<Ledger, 'events' | 'operation'>;
  onEvents: OnEvents;
  artifacts: ArtifactFiles;
  /** Of what was asked for and could not be given. */
  artifactFailures: () => ArtifactFailures;
  requests: Pick<Requests, 'ask'>;
  /** Of the lease; null while another controller leads. */
  epoch: () => number | null;
  /** Where this API answers. */
  address: () => string;
  /** Of prom-client; what the controller measures itself is registered there too. */
  metrics: Registry;
  clock: Clock;
  log: Log;
}

/** Tells of events once they are durable; the listener must return at once. Gives back how to stop it. */
export type OnEvents = (listener: (events: readonly Event[]) => void) => () => void;

/** Artifacts as files of this machine, whole and verified. */
export interface ArtifactFiles {
  /** The file's path, after fetching it if it isn't there. Several callers of one digest share one fetch. */
  ensure(object: LfsObject, signal: AbortSignal): Promise<string>;
}
