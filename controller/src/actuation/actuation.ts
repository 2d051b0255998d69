import type { EnvironmentName, InstanceId, LocalTarget, ServingSnapshot } from '@switchback-ml/schemas';
import type { Action } from '../plan/action.ts';

/** One runtime as actuation knows it, whether or not it answers. */
export interface ObservedRuntime {
  environment: EnvironmentName;
  /** Which of its environment's, from 0; absent: the only one. */
  replica?: number;
  /** Null until it first said who it is. */
  instanceId: InstanceId | null;
  pid: number | null;
  /** Base address of requests, `http://127.0.0.1:4181`; all runtimes of an environment have the same. */
  address: string;
  /** Where this one alone answers, for whoever looks after it; absent: at `address`. */
  ownAddress?: string;
  /** Of requests over gRPC, `127.0.0.1:4182`; absent: it speaks none. */
  grpcAddress?: string;
  /** starting: spawned, not answering yet. running: alive. lost: died or does not answer; being replaced. */
  state: 'starting' | 'running' | 'lost';
}

export interface ObservedState {
  runtimes: readonly ObservedRuntime[];
  /** How the runtimes of an environment were last asked to be, in this life; absent: nobody asked. */
  targets?: ReadonlyMap<EnvironmentName, LocalTarget>;
  /** The snapshot published per environment, which is what instances converge to. */
  published: ReadonlyMap<EnvironmentName, ServingSnapshot>;
}

/** What changed in the world on its own, or by an action, since last asked. */
export interface RuntimeChange {
  kind: 'started' | 'adopted' | 'lost' | 'stopped';
  environment: EnvironmentName;
  reason: string;
  pid: number | null;
}

/**
 * Makes plans real. Applying is idempotent and quick: starting is asked for, not waited for; a snapshot is handed
 * over, not awaited. A hung runtime delays nobody else.
 */
export interface Actuation extends AsyncDisposable {
  /** The latest known state; never waits for the world. */
  observe(): ObservedState;
  apply(action: Action, signal: AbortSignal): Promise<void>;
  /** The newest snapshot of an environment once it differs from `generation`, or null when `signal` aborts first. */
  snapshot(
    environment: EnvironmentName,
    generation: string | null,
    signal: AbortSignal,
  ): Promise<ServingSnapshot | null>;
  /** Drains what happened since the last call. */
  changes(): RuntimeChange[];
  /** Called on every change; the listener must return at once. */
  onChange(listener: () => void): void;
  /** Stops every runtime and waits until they are gone. Disposal alone leaves them running, to be adopted. */
  stopAll(signal: AbortSignal): Promise<void>;
}
