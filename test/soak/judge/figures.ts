import type { ToldEvent } from '../../faults/world/chronicle.ts';
import type { Told } from '../turns.ts';
import type { SeenDivergence } from '../watch/control.ts';
import type { ProcessLife } from '../watch/processes.ts';
import type { Cell } from '../watch/traffic.ts';
import type { Growth } from '../watch/watch.ts';
import type { Excuse, Failure } from './failures.ts';

/** Everything that was seen, before anybody judges it. Times are milliseconds since the epoch. */
export interface Seen {
  startedAt: number;
  /** When the last request had been answered. */
  endedAt: number;
  forMs: number;
  /** How long a stretch of time is that answers were counted in. */
  stretchMs: number;
  seed: number;
  perSecond: number;
  isInterrupted: boolean;
  requests: number;
  failed: number;
  failures: readonly Failure[];
  excuses: readonly Excuse[];
  cells: readonly Cell[];
  /** `model version` of each version that was pushed to be found bad. */
  badVersions: ReadonlySet<string>;
  deeds: readonly Told[];
  processes: readonly ProcessLife[];
  growth: readonly Growth[];
  divergences: readonly SeenDivergence[];
  events: readonly ToldEvent[];
  /** In words; empty: all came to rest, and nothing was left behind. */
  unsettled: readonly string[];
  left: readonly string[];
  brokenInGit: readonly string[];
}
