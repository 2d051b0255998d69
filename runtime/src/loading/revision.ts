import type { Backend, Instant, Loaded, LoadState, ModelName } from '@switchback-ml/schemas';
import type { Artifacts } from '../artifact/artifact.ts';
import { backOffMs } from '../back-off.ts';
import { Batcher } from '../batching/batcher.ts';
import type { Clock } from '../clock.ts';
import type { Engine } from '../engine/engine.ts';
import type { Tensors } from '../engine/tensor.ts';
import { asSwitchbackError, SwitchbackError } from '../error.ts';
import type { Log } from '../log.ts';
import type { Supervisor } from '../supervisor.ts';
import { type ArtifactPaths, openArtifacts, prepareEngine } from './prepare.ts';
import { isBatchable } from './signature.ts';

/** Rows that may wait for one engine. */
const CAPACITY_ROWS = 1024;
/** How long requests wait for an engine to be replaced: ten times what it takes. */
const OUTAGE_MS = 2000;
/** How long the last requests may take once a revision is not wanted any more. */
const DRAIN_MS = 5000;

export interface RevisionOptions {
  supervisor: Supervisor;
  artifacts: Artifacts;
  clock: Clock;
  random: () => number;
  log: Log;
  onBatch: (model: ModelName, rows: number) => void;
  /** Called on every change of state; must return at once. */
  onChange: () => void;
}

/** One revision of one model from pull to unloading. */
export class Revision {
  readonly model: ModelName;
  readonly backend: Backend;
  readonly #options: RevisionOptions;
  readonly #batcher: Batcher;
  readonly #stop = new AbortController();
  readonly #life: Promise<void>;
  #state: LoadState = 'pulling';
  #failure: SwitchbackError | null = null;
  #since: Instant;
  #engine: Engine | null = null;
  #outage: Promise<void> = Promise.resolve();

  constructor(model: ModelName, backend: Backend, options: RevisionOptions) {
    this.model = model;
    this.backend = backend;
    this.#options = options;
    this.#since = options.clock.now();
    this.#batcher = new Batcher({
      limits: backend.limits,
      capacityRows: CAPACITY_ROWS,
      outageMs: OUTAGE_MS,
      isBatchable: isBatchable(backend.signature),
      clock: options.clock,
      onBatch: rows => options.onBatch(model, rows),
    });
    this.#life = this.#live(this.#stop.signal);
  }

  get state(): LoadState {
    return this.#state;
  }

  /** Was ready, and is about to be again: a request may wait for it. */
  get isRecovering(): boolean {
    return this.#state === 'loading' && this.#failure !== null;
  }

  describe(): Loaded {
    const { revision, version, digest } = this.backend;
    const failure = this.#failure;
    return {
      model: this.model,
      revision,
      version,
      digest,
      state: this.#state,
      since: this.#since,
      ...(failure !== null && { failure: { code: failure.code, message: failure.message } }),
      ...(this.#engine?.pid !== undefined && { pid: this.#engine.pid }),
    };
  }

  /** Answers with the outputs of these rows, or rejects with a SwitchbackError. */
  infer(inputs: Tensors, rows: number, alone: boolean): Promise<Tensors> {
    return this.#batcher.submit(inputs, rows, alone);
  }

  /** Lets requests aboard finish, within a bound, then stops the engine. */
  async close(): Promise<void> {
    const drained = new AbortController();
    await Promise.race([this.#batcher.idle(), this.#options.clock.sleep(DRAIN_MS, drained.signal)]);
    drained.abort();
    this.#batcher.close(new SwitchbackError('E_MODEL_NOT_READY', 'This revision is not served any more.'));
    this.#stop.abort();
    await Promise.all([this.#life, this.#outage]);
  }

  /** Never rejects: what goes wrong is the state. */
  async #live(signal: AbortSignal): Promise<void> {
    let paths: ArtifactPaths | null = null;
    try {
      paths = await this.#pull(signal);
    } catch (error) {
      return this.#fail(asSwitchbackError(error));
    }
    if (paths === null) return;
    this.#become('loading');
    const refusal = await this.#options.supervisor.keep(
      {
        model: this.model,
        revision: this.backend.revision,
        prepare: async (engine, isFirst, kept) => {
          const verified = isFirst ? paths : await this.#pull(kept);
          if (verified !== null) await prepareEngine(engine, this.backend, verified, isFirst);
        },
        up: engine => this.#up(engine),
        down: reason => this.#down(reason),
      },
      signal,
    );
    if (refusal !== null) this.#fail(refusal);
  }

  /** Tries until it has them; null when not wanted any more. What is missing from the version itself is final. */
  async #pull(signal: AbortSignal): Promise<ArtifactPaths | null> {
    const { artifacts, clock, random, log } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const paths = await openArtifacts(artifacts, this.backend, signal);
        if (this.#state === 'pulling') this.#failure = null;
        return paths;
      } catch (error) {
        const failure = asSwitchbackError(error, 'E_ARTIFACT_PULL');
        if (failure.code !== 'E_ARTIFACT_PULL') throw failure;
        if (failures === 0 && !signal.aborted)
          log.warn(
            { ...this.#names(), reason: failure.message },
            'artifact could not be pulled, trying again',
          );
        this.#failure = failure;
        await clock.sleep(backOffMs(failures, random()), signal);
      }
    }
    return null;
  }

  #up(engine: Engine): void {
    this.#engine = engine;
    this.#batcher.attach(engine);
    this.#failure = null;
    this.#become('ready');
    this.#options.log.info({ ...this.#names(), pid: engine.pid }, 'revision is ready');
  }

  #down(reason: string): void {
    this.#engine = null;
    this.#outage = this.#batcher.detach();
    this.#failure = new SwitchbackError('E_ENGINE_DIED', `Its engine died: ${reason}. It is being replaced.`);
    this.#become('loading');
  }

  #fail(failure: SwitchbackError): void {
    this.#engine = null;
    this.#failure = failure;
    this.#batcher.close(
      new SwitchbackError('E_MODEL_NOT_READY', `Version ${this.backend.version} can not be served.`),
    );
    this.#become('failed');
    this.#options.log.error(
      { ...this.#names(), code: failure.code, reason: failure.message },
      'revision failed',
    );
  }

  #become(state: LoadState): void {
    if (state !== this.#state) this.#since = this.#options.clock.now();
    this.#state = state;
    this.#options.onChange();
  }

  #names(): Record<string, unknown> {
    return { model: this.model, version: this.backend.version, revision: this.backend.revision };
  }
}
