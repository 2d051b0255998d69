import type { BackendLimits, Instant, Replacement } from '@switchback-ml/schemas';
import type { WatchedEngine } from './engine/watched.ts';
import type { SwitchbackError } from './error.ts';
import type { Pulse } from './heartbeat/pulse.ts';

/** What was wrong with an engine that went. wrong: it no longer gave its golden answer. */
export interface Cause {
  cause: Replacement['cause'] | 'wrong';
  /** One clause for a person. */
  reason: string;
}

/** Why there is no engine now, and when there is to be one. */
export interface Setback {
  error: SwitchbackError;
  /** Null: an engine could not even be started, which says nothing about the charge. */
  replaced: Cause | null;
  /** Null: another engine is on its way. Else there is none before this, and no use in waiting for one. */
  retryAt: Instant | null;
}

/** One thing for whose sake an engine is kept running. All but `prepare` must return at once and not throw. */
export interface Charge {
  model: string;
  revision: string;
  limits: BackendLimits;
  /**
   * Makes a blank engine ready and says how its heart is felt. `isProven`: these bytes were ready before and gave no
   * wrong answer since. Rejecting with E_ENGINE_DIED counts as a crash. Any other SwitchbackError is the last word on
   * a charge that never was ready. What is no SwitchbackError, or E_ENGINE_START, says nothing about the charge.
   */
  prepare(engine: WatchedEngine, isProven: boolean, signal: AbortSignal): Promise<Pulse>;
  /** It is ready: hand it requests. `replaced` where it takes over from one that still answers. */
  up(engine: WatchedEngine, replaced: Cause | null): void;
  /** It takes no more requests; what follows is said by `down` in a moment. */
  lost(what: Cause): void;
  /** There is none now: it was lost, or none could be made ready. */
  down(setback: Setback): void;
}
