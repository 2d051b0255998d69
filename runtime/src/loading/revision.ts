import type {
  Backend,
  Instant,
  Loaded,
  LoadState,
  ModelName,
  Replacement,
  VersionDigest,
} from '@switchback-ml/schemas';
import type { Artifacts } from '../artifact/artifact.ts';
import { backOffMs } from '../back-off.ts';
import { Batcher, type BatcherState } from '../batching/batcher.ts';
import { capacityRows } from '../batching/capacity.ts';
import type { Ran, Work } from '../batching/work.ts';
import type { Cause, Charge, Prepare, Setback } from '../charge.ts';
import type { Clock } from '../clock.ts';
import type { WatchedEngine } from '../engine/watched.ts';
import { asSwitchbackError, SwitchbackError } from '../error.ts';
import { type Pulse, readPulse } from '../heartbeat/pulse.ts';
import type { Log } from '../log.ts';
import type { Supervisor } from '../supervisor.ts';
import { attestedDigest, type Content, readContent } from './attest.ts';
import { type ArtifactPaths, openArtifacts, prepareEngine } from './prepare.ts';
import { Seats } from './seats.ts';
import { isBatchable } from './signature.ts';

/** How long requests wait for an engine to be replaced: what it takes on a busy machine; each has its own deadline. */
const OUTAGE_MS = 5000;
/** How long the last requests may take once a revision is not wanted any more. */
const DRAIN_MS = 5000;
const MOST_REPLACEMENTS_TOLD = 5;

export interface RevisionOptions {
  supervisor: Supervisor;
  artifacts: Artifacts;
  clock: Clock;
  random: () => number;
  log: Log;
  onBatch: (model: ModelName, rows: number, version: string) => void;
  /** Called on every change of state; must return at once. */
  onChange: () => void;
}

/** One revision of one model from pull to unloading. */
export class Revision {
  readonly model: ModelName;
  readonly backend: Backend;
  readonly #options: RevisionOptions;
  readonly #stop = new AbortController();
  readonly #life: Promise<void>;
  /** Another one after each rest: what waited before it was sent away. */
  #batcher: Batcher;
  #state: LoadState = 'pulling';
  #failure: SwitchbackError | null = null;
  #since: Instant;
  readonly #seats = new Seats();
  #wasReady = false;
  #retryAt: Instant | null = null;
  #replaced: readonly Replacement[] = [];
  #attested: VersionDigest | null = null;
  /** Of these bytes; read once. */
  #pulse: Pulse | null = null;

  constructor(model: ModelName, backend: Backend, options: RevisionOptions) {
    this.model = model;
    this.backend = backend;
    this.#options = options;
    this.#since = options.clock.now();
    this.#batcher = this.#makeBatcher();
    this.#life = this.#live(this.#stop.signal);
  }

  get state(): LoadState {
    return this.#state;
  }

  /** Was ready, and is about to be again: a request may wait for it. */
  get isRecovering(): boolean {
    return this.#state === 'loading' && this.#wasReady;
  }

  /** What a request is told while this can't answer. */
  get refusal(): SwitchbackError {
    const retryAt = this.#retryAt;
    if (retryAt === null)
      return new SwitchbackError('E_MODEL_NOT_READY', 'This version is not ready; try again in a moment.');
    const retryAfterMs = Math.max(0, Math.round(retryAt - this.#options.clock.now()));
    const message = 'The engines of this version keep failing, and it rests for now; try again later.';
    return new SwitchbackError('E_MODEL_NOT_READY', message, { details: { retryAfterMs } });
  }

  /** How many engines answer for it now. */
  get engines(): number {
    return this.#seats.engines.length;
  }

  /** Of the engine processes that answer for it. */
  get pids(): number[] {
    return this.#seats.engines.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** What waits for them, and how fast it goes. */
  get queue(): BatcherState {
    return this.#batcher.describe();
  }

  describe(): Loaded {
    const { pids } = this;
    const { revision, version, digest } = this.backend;
    const failure = this.#failure;
    return {
      model: this.model,
      revision,
      version,
      digest,
      state: this.#state,
      since: this.#since,
      ...(this.#attested !== null && { attested: this.#attested }),
      ...(failure !== null && { failure: { code: failure.code, message: failure.message } }),
      ...(this.#retryAt !== null && { retryAt: this.#retryAt }),
      ...(this.#replaced.length > 0 && { replaced: [...this.#replaced] }),
      ...(pids[0] !== undefined && { pid: pids[0], pids }),
    };
  }

  /** Answers with the outputs of these rows, or rejects with a SwitchbackError, as `Batcher.submit` does. */
  infer(work: Work): Promise<Ran> {
    return this.#batcher.submit(work);
  }

  /** Lets requests aboard finish, within a bound, then stops the engine. */
  async close(): Promise<void> {
    const drained = new AbortController();
    await Promise.race([this.#batcher.idle(), this.#options.clock.sleep(DRAIN_MS, drained.signal)]);
    drained.abort();
    this.#batcher.close(new SwitchbackError('E_MODEL_NOT_READY', 'This revision is not served any more.'));
    this.#stop.abort();
    await this.#life;
  }

  /** Never rejects: what goes wrong is the state. */
  async #live(signal: AbortSignal): Promise<void> {
    const charge: Charge = {
      model: this.model,
      revision: this.backend.revision,
      limits: this.backend.limits,
      engines: this.backend.engines ?? 1,
      open: unless => this.#open(unless),
      up: (seat, engine, replaced) => this.#up(seat, engine, replaced),
      lost: (seat, what) => this.#lost(seat, what),
      down: (seat, setback) => this.#down(seat, setback),
    };
    const refusal = await this.#options.supervisor.keep(charge, signal);
    if (refusal !== null) this.#fail(refusal);
  }

  /** The files are verified anew for each engine, so that rot on the disk is met by pulling them again. */
  async #open(signal: AbortSignal): Promise<Prepare> {
    const paths = await this.#pull(signal);
    if (paths === null) throw new SwitchbackError('E_ENGINE_DIED', 'The engine is not wanted any more.');
    if (this.#state === 'pulling') this.#become('loading');
    return (engine, isProven, unless) => this.#prepare(engine, paths, isProven, unless);
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
        if (failure.code === 'E_MODEL_LOAD') throw failure;
        if (failures === 0 && !signal.aborted)
          log.warn(
            { ...this.#names(), reason: failure.message },
            'artifact could not be pulled, trying again',
          );
        if (this.#state !== 'failed' && this.engines === 0) this.#failure = failure;
        await clock.sleep(backOffMs(failures, random()), signal);
      }
    }
    return null;
  }

  async #prepare(
    engine: WatchedEngine,
    paths: ArtifactPaths,
    isProven: boolean,
    signal: AbortSignal,
  ): Promise<Pulse> {
    const contents = Promise.all([readContent(paths.model, signal), readContent(paths.golden, signal)]);
    const [prepared, read] = await Promise.allSettled([
      prepareEngine(engine, this.backend, paths, !isProven),
      contents,
    ]);
    if (prepared.status === 'rejected') throw prepared.reason;
    if (read.status === 'rejected') throw read.reason;
    this.#attest(engine, read.value);
    this.#pulse ??= await readPulse(paths.golden, this.backend);
    return this.#pulse;
  }

  #attest({ signature }: WatchedEngine, [model, golden]: readonly [Content, Content]): void {
    if (signature === null) return;
    const contents = { 'model.onnx': model, 'golden.json': golden };
    this.#attested = attestedDigest(this.backend.artifacts, contents, signature);
    if (this.#attested === this.backend.digest) return;
    const fields = { ...this.#names(), digest: this.backend.digest, attested: this.#attested };
    this.#options.log.error(fields, 'what was loaded is not the version that was asked for');
  }

  #up(seat: number, engine: WatchedEngine, replaced: Cause | null): void {
    this.#note(replaced);
    this.#seats.up(seat, engine);
    this.#batcher.attach(seat, engine);
    this.#failure = null;
    this.#retryAt = null;
    this.#wasReady = true;
    const wasServing = this.#state === 'ready';
    this.#become('ready');
    const { log } = this.#options;
    if (wasServing) log.info({ ...this.#names(), seat, pid: engine.pid }, 'another engine is ready');
    else log.info({ ...this.#names(), pid: engine.pid }, 'revision is ready');
  }

  /** Without a break, as long as another engine answers. */
  #lost(seat: number, { reason }: Cause): void {
    this.#seats.lost(seat);
    this.#batcher.detach(seat);
    if (this.engines > 0) return this.#options.onChange();
    this.#failure = new SwitchbackError('E_ENGINE_DIED', `Its engine was lost: ${reason}.`);
    this.#become('loading');
  }

  #down(seat: number, { error, replaced, retryAt }: Setback): void {
    this.#note(replaced);
    // While it rests, a machine that is short of engines is no news.
    if (retryAt === null && this.#state === 'failed') return;
    this.#seats.down(seat, retryAt);
    if (this.engines > 0) return this.#options.onChange();
    this.#failure = error;
    this.#retryAt = this.#seats.restsUntil;
    if (this.#retryAt === null) return this.#become('loading');
    this.#batcher.close(this.refusal);
    this.#batcher = this.#makeBatcher();
    this.#become('failed');
  }

  #note(cause: Cause | null): void {
    if (cause === null) return;
    const replacement = { at: this.#options.clock.now(), cause: cause.cause, reason: cause.reason };
    this.#replaced = [...this.#replaced, replacement].slice(-MOST_REPLACEMENTS_TOLD);
  }

  #fail(failure: SwitchbackError): void {
    this.#failure = failure;
    this.#retryAt = null;
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

  #makeBatcher(): Batcher {
    const { backend, model } = this;
    const { limits, engines = 1, batching, signature } = backend;
    const { clock, onBatch } = this.#options;
    return new Batcher({
      limits,
      // A batch must fit, whatever is said of the queue.
      capacityRows: capacityRows(limits),
      outageMs: OUTAGE_MS,
      engines,
      isBatchable: isBatchable(signature),
      waitMs: batching?.waitMs ?? 0,
      clock,
      onBatch: rows => onBatch(model, rows, backend.version),
    });
  }

  #names(): Record<string, unknown> {
    return { model: this.model, version: this.backend.version, revision: this.backend.revision };
  }
}
