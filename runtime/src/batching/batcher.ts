import type { BackendLimits } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import type { Engine } from '../engine/engine.ts';
import type { Tensors } from '../engine/tensor.ts';
import { asSwitchbackError, SwitchbackError } from '../error.ts';
import { joinRows, nextBatch, shapeKeyOf, splitRows, type Waiting } from './batch.ts';
import { learnPace, rowsInTime } from './pace.ts';

/** One running and one staged: the engine never waits for us, and later requests can still share a batch. */
const BATCHES_IN_FLIGHT = 2;

export interface BatcherOptions {
  limits: Pick<BackendLimits, 'maxBatch' | 'timeoutMs'>;
  /** Rows that may wait; beyond, E_OVERLOADED. */
  capacityRows: number;
  /** How long requests wait for an engine to be replaced. */
  outageMs: number;
  /** Whether the graph takes any number of rows. */
  isBatchable: boolean;
  clock: Clock;
  onBatch: (rows: number) => void;
}

interface Request extends Waiting {
  inputs: Tensors;
  resolve: (outputs: Tensors) => void;
  reject: (error: SwitchbackError) => void;
}

/**
 * The queue before one revision's engine. It outlives engines: what waits while one is replaced goes to the next,
 * what was aboard fails with it.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #engine: Engine | null = null;
  #waiting: Request[] = [];
  #waitingRows = 0;
  #inFlight = 0;
  #isScheduled = false;
  #msPerRow = 0;
  #lastAnswerAt = 0;
  #isBatchable: boolean;
  #closed: SwitchbackError | null = null;
  /** Aborted when an outage ends. */
  #outage: AbortController | null = null;
  #isOutageTooLong = false;
  #onIdle: (() => void)[] = [];

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#isBatchable = options.isBatchable;
  }

  /** Answers with the outputs of these rows. `alone` keeps them out of any shared batch. */
  submit(inputs: Tensors, rows: number, alone = false): Promise<Tensors> {
    const refusal = this.#refusal(rows);
    if (refusal !== null) return Promise.reject(refusal);
    const shapeKey = alone || !this.#isBatchable ? null : shapeKeyOf(inputs);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ inputs, rows, shapeKey, resolve, reject });
      this.#waitingRows += rows;
      this.#schedule();
    });
  }

  attach(engine: Engine): void {
    this.#engine = engine;
    this.#inFlight = 0;
    this.#isOutageTooLong = false;
    this.#outage?.abort();
    this.#outage = null;
    this.#schedule();
  }

  /** The engine is gone. Resolves when the outage is over, one way or the other. */
  async detach(): Promise<void> {
    this.#engine = null;
    this.#inFlight = 0;
    const outage = new AbortController();
    this.#outage?.abort();
    this.#outage = outage;
    await this.#options.clock.sleep(this.#options.outageMs, outage.signal);
    if (outage.signal.aborted) return;
    this.#isOutageTooLong = true;
    this.#rejectWaiting(notReady());
  }

  /** Resolves once nothing waits and nothing is aboard. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0 && this.#inFlight === 0) return Promise.resolve();
    return new Promise(resolve => this.#onIdle.push(resolve));
  }

  /** Refuses from now on, what waits included. */
  close(reason: SwitchbackError): void {
    this.#closed = reason;
    this.#outage?.abort();
    this.#rejectWaiting(reason);
  }

  #refusal(rows: number): SwitchbackError | null {
    if (this.#closed !== null) return this.#closed;
    if (this.#engine === null && this.#isOutageTooLong) return notReady();
    if (this.#waitingRows + rows <= this.#options.capacityRows || this.#waiting.length === 0) return null;
    const message = `${this.#waitingRows} rows wait already and ${this.#options.capacityRows} may: try again later, or with fewer callers.`;
    return new SwitchbackError('E_OVERLOADED', message);
  }

  /** At the end of this turn of the event loop, so that everything that arrived in it goes together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#engine !== null && this.#inFlight < BATCHES_IN_FLIGHT && this.#waiting.length > 0) {
      const { maxBatch, timeoutMs } = this.#options.limits;
      const { batch, rest } = nextBatch(this.#waiting, rowsInTime(this.#msPerRow, timeoutMs, maxBatch));
      this.#waiting = rest;
      for (const { rows } of batch) this.#waitingRows -= rows;
      this.#inFlight++;
      this.#run(this.#engine, batch);
    }
    this.#tellIdle();
  }

  #run(engine: Engine, batch: readonly Request[]): void {
    const rowsOf = batch.map(({ rows }) => rows);
    const rows = rowsOf.reduce((sum, rows) => sum + rows, 0);
    const began = this.#options.clock.elapsed();
    this.#options.onBatch(rows);
    engine
      .infer(joinRows(batch.map(({ inputs }) => inputs)), this.#options.limits.timeoutMs)
      .then(outputs => {
        this.#learn(rows, began);
        return splitRows(outputs, rowsOf);
      })
      .then(
        parts => this.#answer(batch, parts),
        (error: unknown) => this.#fail(batch, asSwitchbackError(error)),
      )
      .finally(() => {
        // A batch of an engine that is gone says nothing about its successor.
        if (engine === this.#engine) this.#inFlight--;
        this.#schedule();
      });
  }

  /** A staged batch begins when the one before it is answered. */
  #learn(rows: number, dispatchedAt: number): void {
    const now = this.#options.clock.elapsed();
    this.#msPerRow = learnPace(this.#msPerRow, rows, now - Math.max(dispatchedAt, this.#lastAnswerAt));
    this.#lastAnswerAt = now;
  }

  #answer(batch: readonly Request[], parts: readonly Tensors[] | null): void {
    for (const [index, { resolve }] of batch.entries()) if (parts !== null) resolve(parts[index]!);
    if (parts !== null) return;
    // The graph mixes rows, whatever its signature says: never again two requests in one batch.
    this.#isBatchable = false;
    this.#runApart(batch);
  }

  #fail(batch: readonly Request[], error: SwitchbackError): void {
    const isEngineGone = error.code === 'E_ENGINE_DIED' || error.code === 'E_ENGINE_TIMEOUT';
    if (batch.length > 1 && !isEngineGone) this.#runApart(batch);
    else for (const { reject } of batch) reject(error);
  }

  /** One of them spoilt the batch: by itself it fails alone. */
  #runApart(batch: readonly Request[]): void {
    if (this.#closed !== null) for (const { reject } of batch) reject(this.#closed);
    else {
      this.#waiting = [...batch.map(request => ({ ...request, shapeKey: null })), ...this.#waiting];
      for (const { rows } of batch) this.#waitingRows += rows;
    }
  }

  #rejectWaiting(error: SwitchbackError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingRows = 0;
    for (const { reject } of waiting) reject(error);
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#waiting.length > 0 || this.#inFlight > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function notReady(): SwitchbackError {
  return new SwitchbackError('E_MODEL_NOT_READY', 'Its engine is being replaced; try again in a moment.');
}
