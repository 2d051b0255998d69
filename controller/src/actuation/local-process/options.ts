import type { EnvironmentName } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { Fetch } from '../../observation/ask-runtime.ts';
import type { ChangeFeed } from '../change-feed.ts';
import type { ProcessRecord } from './process-record.ts';

export interface LocalProcessActuationOptions {
  /** Program and first arguments that start a runtime, e.g. Node and the runtime's main. */
  command: readonly string[];
  /** Holds a folder per environment: the runtime's state, its log, and what we remember of it. */
  directory: string;
  /** Where runtimes find the controller. One that was started for another address is replaced. */
  controllerUrl: string;
  /** Holds the secret that runtimes and controller share. */
  tokenFile: string;
  /** Where runtimes listen. */
  host: string;
  /** The first port to try for a new environment; any free one when absent. */
  basePort?: number;
  clock: Clock;
  log: Log;
  fetch?: Fetch;
}

/** What one environment's runtime needs beyond what all of them share. */
export interface KeptRuntimeOptions extends LocalProcessActuationOptions {
  environment: EnvironmentName;
  /** What an earlier life of the controller left written down. */
  remembered: ProcessRecord | null;
  token: string;
  /** Ports of all environments; shared by all kept runtimes. */
  claimed: Set<number>;
  feed: ChangeFeed;
  fetch: Fetch;
}
