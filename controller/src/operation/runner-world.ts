import type { EnvironmentName, EventType, ServingSnapshot } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { Ledger, OperationState } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';
import type { Heard } from '../observation/observation.ts';
import type { CommitSink, CommitSource } from '../repository/repository.ts';
import type { RepositoryWatch } from '../repository/view.ts';
import type { OpenOperations, OperationResult } from './open-operations.ts';

export interface RunnerWorld {
  repository: CommitSource & CommitSink;
  watch: RepositoryWatch;
  ledger: Ledger;
  open: OpenOperations;
  /** Of the head that `watch` has. */
  desired: () => DesiredState | null;
  /** What runtimes last said; a rollback waits for their word, but not for long. */
  heard: () => readonly Heard[];
  published: () => ReadonlyMap<EnvironmentName, ServingSnapshot>;
  /** Of the lease; null while it is not held: then nothing is done. */
  epoch: () => number | null;
  branch: string;
  /** Folder of the git repository that holds the model repository; empty: its top. */
  root: string;
  historyRef: string;
  author: { name: string; email: string };
  clock: Clock;
  log: Log;
}

/** Where one look at one operation leads. `wait`: something else must happen first; it will kick the runner. */
export type Moved =
  | { kind: 'wait' }
  | {
      kind: 'to';
      state: OperationState;
      event: EventType;
      result?: OperationResult;
      data?: Record<string, unknown>;
    };
