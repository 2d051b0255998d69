import type { Signature } from '@switchback-ml/schemas';
import type { Tensors } from './tensor.ts';

export interface LoadRequest {
  /** A verified local file that nobody changes. */
  path: string;
  /** How much the model may use beyond what a blank engine uses. */
  memoryBytes: number;
  /** Loading that takes longer kills the engine. */
  timeoutMs: number;
}

/** Why an engine is no more. died: by itself, or by a hand from outside. late: a run took longer than it may. */
export interface EngineEnd {
  cause: 'died' | 'late' | 'stopped';
  /** One clause: `it was ended by SIGKILL`. */
  reason: string;
}

/**
 * What runs one graph. It starts blank and is loaded once; there is no unloading, only disposal. Rejections are
 * SwitchbackError: E_ENGINE_DIED (gone, or went while this was aboard), E_ENGINE_TIMEOUT (took too long, so it was
 * killed), E_ENGINE_START (this machine could not give it what it needs), E_ENGINE_MEMORY, E_MODEL_LOAD and, where
 * the graph itself refused the rows, E_INTERNAL.
 */
export interface Engine extends AsyncDisposable {
  /** Of its process; absent where it has none. */
  readonly pid: number | undefined;
  /** Resolves once when the engine is no more, by whomever's hand. Never rejects. */
  readonly gone: Promise<EngineEnd>;
  /** Makes the graph ready and says what it takes and gives, as the graph itself declares it. */
  load(request: LoadRequest): Promise<Signature>;
  /**
   * Runs one batch. Batches run in the order of the calls, one at a time. The time limit counts from when the
   * batch is at the head; a run can't be interrupted, so passing the limit kills the engine.
   */
  infer(inputs: Tensors, timeoutMs: number): Promise<Tensors>;
  /** Memory that it holds now; null where that can't be known. Never rejects, never waits for a run. */
  residentBytes(): Promise<number | null>;
}

/**
 * Starts a blank engine; rejects when it can't, or when `signal` aborts first. `awaited`: until it resolves nobody waits
 * for this one, and its start gives way to everything else; absent: somebody does.
 */
export type StartEngine = (signal: AbortSignal, awaited?: Promise<unknown>) => Promise<Engine>;
