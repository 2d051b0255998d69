import type { BackendLimits, Instant, Replacement } from '@switchback-ml/schemas';
import type { WatchedEngine } from './engine/watched.ts';
import type { SwitchbackError } from './error.ts';
import type { Pulse } from './heartbeat/pulse.ts';
import type { Place } from './loading/room.ts';
import type { Urgency } from './loading/turns.ts';

/** What was wrong with an engine that went. wrong: it no longer gave its golden answer. */
export interface Cause {
  cause: Replacement['cause'] | 'wrong';
  /** One clause for a person. */
  reason: string;
}

/** Why a seat has no engine now, and when there is to be one. */
export interface Setback {
  error: SwitchbackError;
  /** Null: an engine could not even be started, which says nothing about the charge. */
  replaced: Cause | null;
  /** Null: another engine is on its way. Else there is none before this, and no use in waiting for one. */
  retryAt: Instant | null;
}

/**
 * Makes a blank engine ready and says how its heart is felt. `isProven`: these bytes were ready before and gave no
 * wrong answer since. Rejecting with E_ENGINE_DIED counts as a crash. Any other SwitchbackError is the last word on
 * a charge that never was ready. What is no SwitchbackError, or E_ENGINE_START, says nothing about the charge.
 */
export type Prepare = (engine: WatchedEngine, isProven: boolean, signal: AbortSignal) => Promise<Pulse>;

/** For what an engine is about to be started. */
export interface Entering {
  urgency: Urgency;
  /** Another one of the same seat goes as soon as it is ready. */
  takesOver: boolean;
}

/**
 * One thing for whose sake engines are kept running, each in a seat, counted from 0. All but `open` and `enter` must
 * return at once and not throw.
 */
export interface Charge {
  model: string;
  revision: string;
  limits: BackendLimits;
  /** At least 1. */
  engines: number;
  /** Waits until what one engine is made from is at hand, holding nothing meanwhile. Rejects as its Prepare does. */
  open(signal: AbortSignal): Promise<Prepare>;
  /** Waits for memory for one more engine, or until `signal` aborts. Absent: there is no bound. */
  enter?(by: Entering, signal: AbortSignal): Promise<Place>;
  /** Whether somebody waits for an engine of it now; absent: as long as it has none. */
  isAwaited?(): boolean;
  /** It is ready: hand it requests. `replaced` where it takes over from one that still answers. */
  up(seat: number, engine: WatchedEngine, replaced: Cause | null): void;
  /** It takes no more requests; what follows is said by `down` in a moment. */
  lost(seat: number, what: Cause): void;
  /** There is none in this seat now: it was lost, or none could be made ready. */
  down(seat: number, setback: Setback): void;
}
