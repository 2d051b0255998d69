import type { EnvironmentName, LocalTarget } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { Fetch } from '../../observation/ask-runtime.ts';
import type { ChangeFeed } from '../change-feed.ts';
import type { ProcessRecord } from './process-record.ts';
import type { SharedPort } from './shared-port.ts';

export interface LocalProcessActuationOptions {
  /** Program and first arguments that start a runtime, e.g. Node and the runtime's main. */
  command: readonly string[];
  /** Holds a folder per runtime: its state, its log, and what we remember of it. */
  directory: string;
  /** Where runtimes find the controller. One that was started for another address is replaced. */
  controllerUrl: string;
  /** Holds the secret that runtimes and controller share. */
  tokenFile: string;
  /** Holds the URL of a Redis in which runtimes share answers; absent: none do. */
  redisFile?: string | undefined;
  /** Where runtimes listen. */
  host: string;
  /** The first port to try for a new environment; any free one when absent. */
  basePort?: number;
  /** Several processes share a port only on Linux. */
  platform?: NodeJS.Platform;
  clock: Clock;
  log: Log;
  fetch?: Fetch;
}

/** What the runtimes of one environment need beyond what those of all share. */
export interface KeptEnvironmentOptions extends LocalProcessActuationOptions {
  environment: EnvironmentName;
  token: string;
  /** How many runtimes this machine is to have, of all environments. */
  runtimesInAll: () => number;
  /** Ports of all environments; shared by all kept runtimes. */
  claimed: Set<number>;
  feed: ChangeFeed;
  fetch: Fetch;
  platform: NodeJS.Platform;
}

/** What one runtime needs beyond that. */
export interface KeptRuntimeOptions extends KeptEnvironmentOptions {
  /** Which of the environment's, from 0. */
  replica: number;
  /** What an earlier life of the controller left written down. */
  remembered: ProcessRecord | null;
  /** Of requests; all runtimes of the environment listen there. */
  port: SharedPort;
  grpcPort: SharedPort;
  /** What is asked of the environment's runtimes; null: nobody has said it in this life. */
  target: () => LocalTarget | null;
  /** The other runtimes that the environment shall have. */
  siblings: () => readonly Sibling[];
}

/** As much of one runtime as another needs to know. */
export interface Sibling {
  /** Whether requests are answered there. */
  readonly isServing: boolean;
}
