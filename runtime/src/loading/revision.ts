import type { Backend, Loaded, LoadState, ModelName } from '@switchback-ml/schemas';
import type { Batcher, BatcherState } from '../batching/batcher.ts';
import type { Ran, Work } from '../batching/work.ts';
import type { Cause, Charge, Setback } from '../charge.ts';
import type { WatchedEngine } from '../engine/watched.ts';
import { SwitchbackError } from '../error.ts';
import type { Supervisor } from '../supervisor.ts';
import { type BatcherOfOptions, batcherOf, drain } from './batcher-of.ts';
import type { Sleeper } from './eviction.ts';
import type { Golden } from './golden.ts';
import { Progress } from './progress.ts';
import type { Load } from './remembered-loads.ts';
import type { Room, Tenant } from './room.ts';
import { Seats } from './seats.ts';
import { Slumber, type Standing } from './slumber.ts';
import { Supply, type SupplyOptions } from './supply.ts';
import type { Urgency } from './turns.ts';
import type { Wakes } from './wakes.ts';

export interface RevisionOptions extends SupplyOptions, BatcherOfOptions {
  supervisor: Supervisor;
  /** Of all revisions. */
  room: Room;
  wakes: Wakes;
  /** Called when its state is another; must return at once. */
  onChange: () => void;
  /** Called each time that it was made ready. */
  onLoaded: (revision: Revision, load: Load) => void;
}

/**
 * One revision of one model from pull to unloading. Once it has shown that it can be served it stays ready: it may be
 * put to sleep to make room for others, and the next request wakes it and waits.
 */
export class Revision implements Tenant {
  readonly model: ModelName;
  readonly backend: Backend;
  readonly #options: RevisionOptions;
  readonly #supply: Supply;
  readonly #charge: Charge;
  readonly #slumber: Slumber;
  readonly #progress: Progress;
  readonly #life: Promise<void>;
  /** Another one after each rest: what waited before it was sent away. */
  #batcher: Batcher;
  #seats = new Seats();
  #wasReady: boolean;

  /** @param remembered what its load took before a restart: it counts as ready, and sleeps; null: it is loaded at once. */
  constructor(
    model: ModelName,
    backend: Backend,
    standing: Standing,
    remembered: Load | null,
    options: RevisionOptions,
  ) {
    this.model = model;
    this.backend = backend;
    this.#options = options;
    this.#wasReady = remembered !== null;
    this.#progress = new Progress(this.#wasReady ? 'ready' : 'pulling', options.clock, options.onChange);
    this.#supply = new Supply(model, backend, options);
    this.#slumber = new Slumber(standing, {
      ...options,
      fileBytes: backend.artifacts['model.onnx']?.size ?? 0,
      remembered,
      onImpatient: told => this.#renewBatcher(told),
    });
    this.#batcher = batcherOf(model, backend, options);
    this.#charge = this.#makeCharge();
    this.#life = this.#live();
  }

  get state(): LoadState {
    return this.#progress.state;
  }

  /** Whether it is ready, and has no engine that answers. */
  get isAsleep(): boolean {
    return this.#slumber.isAsleep;
  }

  /** Was ready, and is about to be again: a request may wait for it, and what befalls it says nothing of the version. */
  get isRecovering(): boolean {
    return this.isAsleep || (this.state === 'loading' && this.#wasReady);
  }

  /** When it last woke, by the clock's `elapsed`; before all time: it never slept. */
  get wokeAt(): number {
    return this.#slumber.wokeAt;
  }

  /** Whether it slept at that time of the clock's `elapsed`, or has since. */
  wasAsleep(at: number): boolean {
    return this.isAsleep || this.wokeAt > at;
  }

  get weight(): number {
    return this.#slumber.standing.weight;
  }

  /** Of one engine; null: there was none yet. */
  get load(): Load | null {
    return this.#slumber.load;
  }

  /** Of one engine, as measured or from the size of its graph. */
  get expectedBytes(): number {
    return this.#slumber.expectedBytes;
  }

  /** What a request is told while this can't answer. */
  get refusal(): SwitchbackError {
    return this.#progress.refusal;
  }

  /** How many engines answer for it now. */
  get engines(): number {
    return this.#seats.engines.length;
  }

  /** A golden row or as few as the graph takes, with their answers; null: not read yet. */
  get golden(): Golden | null {
    return this.#supply.pulse;
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
    const { pids, load, isAsleep, state } = this;
    const { revision, version, digest } = this.backend;
    const { attested, failure } = this.#supply;
    return {
      model: this.model,
      revision,
      version,
      digest,
      ...this.#progress.describe(this.engines === 0 ? failure : null),
      ...(attested !== null && { attested }),
      ...(pids[0] !== undefined && { pid: pids[0], pids }),
      ...(isAsleep && state === 'ready' && { asleep: true as const }),
      ...(load !== null && { memoryBytes: load.bytes, loadMs: Math.round(load.ms) }),
    };
  }

  /**
   * Answers with the outputs of these rows, or rejects with a SwitchbackError, as `Batcher.submit` does. Asleep, it
   * wakes, and they wait for that, within their deadline and a bound of ours.
   */
  infer(work: Work): Promise<Ran> {
    this.#slumber.asked();
    if (!this.#slumber.isAsleep) return this.#batcher.submit(work);
    const refusal = this.#slumber.wakeForRequest(this.queue.waitingRequests);
    return refusal === null ? this.#batcher.submit(work) : Promise.reject(refusal);
  }

  /** Why one more request is not worth being read; null when it is to be handed over. */
  refusalUnread(): SwitchbackError | null {
    return this.#batcher.refusalUnread();
  }

  /** Requests a second, lately. */
  perSecond(now: number): number {
    return this.#slumber.perSecond(now);
  }

  stand(standing: Standing): void {
    this.#slumber.stand(standing);
  }

  /** Where there is room that nobody has to make. */
  wakeIdly(): void {
    this.#slumber.wakeIdly();
  }

  sleeper(bytes: number, now: number): Sleeper | null {
    if (this.state !== 'ready') return null;
    return this.#slumber.sleeper(this.#seats.engines, this.queue.waitingRequests > 0, bytes, now);
  }

  fallAsleep(): void {
    this.#slumber.sleep();
    this.#seats = new Seats();
    this.#supply.forget();
    this.#renewBatcher(this.refusal);
    this.#options.log.debug(this.#names(), 'revision sleeps');
  }

  /** Lets requests aboard finish, within a bound, then stops the engine. */
  async close(): Promise<void> {
    await drain(this.#batcher, this.#options.clock);
    this.#batcher.close(new SwitchbackError('E_MODEL_NOT_READY', 'This revision is not served any more.'));
    this.#slumber.close();
    await this.#life;
  }

  /** Never rejects: what goes wrong is the state. */
  async #live(): Promise<void> {
    for (;;) {
      const signal = await this.#slumber.awake();
      if (signal === null) return;
      const refusal = await this.#options.supervisor.keep(this.#charge, signal);
      if (refusal !== null) return this.#fail(refusal);
    }
  }

  #makeCharge(): Charge {
    const { backend } = this;
    return {
      model: this.model,
      revision: backend.revision,
      limits: backend.limits,
      engines: backend.engines ?? 1,
      open: async signal => {
        const prepare = await this.#supply.open(this.#pullUrgency(), signal);
        this.#progress.loads();
        return prepare;
      },
      enter: (by, signal) => this.#slumber.enter(this, this.engines, by, signal),
      isAwaited: () => this.#slumber.isAwaited || (this.#wasReady && !this.isAsleep),
      up: (seat, engine, replaced) => this.#up(seat, engine, replaced),
      lost: (seat, what) => this.#lost(seat, what),
      down: (seat, setback) => this.#down(seat, setback),
    };
  }

  #pullUrgency(): Urgency {
    if (this.isRecovering) return 'outage';
    return this.weight > 0 ? 'first' : 'another';
  }

  #up(seat: number, engine: WatchedEngine, replaced: Cause | null): void {
    if (replaced !== null) this.#progress.engineReplaced(replaced);
    this.#seats.up(seat, engine);
    this.#batcher.attach(seat, engine);
    const wasServing = this.state === 'ready' && !this.isAsleep;
    if (!wasServing) this.#awoke();
    this.#wasReady = true;
    this.#progress.ready();
    if (wasServing)
      this.#options.log.info({ ...this.#names(), seat, pid: engine.pid }, 'another engine is ready');
  }

  #awoke(): void {
    const { log, onLoaded } = this.#options;
    const { isAsleep, load } = this;
    this.#slumber.awoke();
    const took = load !== null && { memoryBytes: load.bytes, loadMs: Math.round(load.ms) };
    const fields = { ...this.#names(), pid: this.pids[0], ...took };
    if (isAsleep) log.debug(fields, 'revision awoke');
    else log.info(fields, 'revision is ready');
    if (load !== null && this.#supply.attested === this.backend.digest) onLoaded(this, load);
  }

  /** Without a break, as long as another engine answers. */
  #lost(seat: number, { reason }: Cause): void {
    this.#seats.lost(seat);
    this.#batcher.detach(seat);
    if (this.engines > 0) return;
    this.#progress.interrupted(new SwitchbackError('E_ENGINE_DIED', `Its engine was lost: ${reason}.`));
  }

  #down(seat: number, { error, replaced, retryAt }: Setback): void {
    if (replaced !== null) this.#progress.engineReplaced(replaced);
    // While it rests, a machine that is short of engines is no news.
    if (retryAt === null && this.state === 'failed') return;
    this.#seats.down(seat, retryAt);
    if (this.engines > 0) return;
    const { restsUntil } = this.#seats;
    if (restsUntil === null) return this.#progress.interrupted(error);
    this.#slumber.notAsleep(null);
    this.#progress.failed(error, restsUntil);
    this.#renewBatcher(this.refusal);
  }

  #fail(failure: SwitchbackError): void {
    this.#slumber.notAsleep(null);
    this.#batcher.close(
      new SwitchbackError('E_MODEL_NOT_READY', `Version ${this.backend.version} can not be served.`),
    );
    this.#progress.failed(failure, null);
    this.#options.log.error(
      { ...this.#names(), code: failure.code, reason: failure.message },
      'revision failed',
    );
  }

  #renewBatcher(told: SwitchbackError): void {
    this.#batcher.close(told);
    this.#batcher = batcherOf(this.model, this.backend, this.#options);
  }

  #names(): Record<string, unknown> {
    return { model: this.model, version: this.backend.version, revision: this.backend.revision };
  }
}
