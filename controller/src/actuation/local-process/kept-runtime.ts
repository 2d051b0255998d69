import { type InstanceId, LocalTarget } from '@switchback-ml/schemas';
import { messageOf } from '../../error.ts';
import type { ObservedRuntime } from '../actuation.ts';
import { AskedStop } from './asked-stop.ts';
import { type RuntimeEnd, runtimeEnd } from './end-runtime.ts';
import { Leaving } from './leaving.ts';
import type { KeptRuntimeOptions, Sibling } from './options.ts';
import { LOOK_AT_START_MS, LOOK_EVERY_MS, Patience, retryDelayMs } from './patience.ts';
import { ownPortOf, type RememberedProcess } from './process-record.ts';
import { type RuntimeDoor, runtimeDoor } from './runtime-door.ts';
import { RuntimeLife } from './runtime-life.ts';
import { type RuntimeLog, runtimeLog } from './runtime-log.ts';
import { type RuntimeLook, runtimeLook } from './runtime-look.ts';
import { type RuntimeNews, runtimeNews } from './runtime-news.ts';
import { RuntimePorts } from './runtime-ports.ts';
import { startRuntime } from './start-runtime.ts';
import { type Settings, type StartedWith, settingsIn, startedWith } from './started-with.ts';
import { WrittenRecord } from './written-record.ts';

/** Nothing is to be done until somebody wants something, which ends this wait. */
const REST_MS = 60_000;

const PLAIN = LocalTarget.parse({});

/**
 * Keeps one runtime of one environment: adopts it or starts it, watches it, replaces it, ends it, in a loop
 * of its own, so that a hung runtime holds up only itself.
 */
export class KeptRuntime implements Sibling {
  readonly #options: KeptRuntimeOptions;
  readonly #closing = new AbortController();
  readonly #log: RuntimeLog;
  readonly #news: RuntimeNews;
  readonly #door: RuntimeDoor;
  readonly #record: WrittenRecord;
  readonly #ports: RuntimePorts;
  readonly #look: RuntimeLook;
  readonly #end: RuntimeEnd;
  readonly #leaving: Leaving;
  readonly #running: Promise<void>;

  /** Of the present process; null: there is none. */
  #life: RuntimeLife | null = null;
  /** Of the present process, or else of the last. */
  #startedWith: StartedWith;
  #state: ObservedRuntime['state'] = 'starting';
  #crashes = 0;

  #isWanted = true;
  /** Is carried out even if the runtime is wanted again meanwhile. */
  readonly #stop = new AskedStop();
  #wake = new AbortController();

  constructor(options: KeptRuntimeOptions) {
    const { clock, remembered } = options;
    const isAdopted = remembered?.process != null;
    this.#options = options;
    this.#startedWith = remembered?.process?.startedWith ?? null;
    if (isAdopted) this.#life = new RuntimeLife(clock, true);
    this.#log = runtimeLog(options.log, options);
    this.#news = runtimeNews(options);
    this.#door = runtimeDoor(options);
    this.#record = new WrittenRecord(options, this.#log);
    this.#ports = new RuntimePorts(options, this.#log, isAdopted);
    this.#leaving = new Leaving(options);
    const seen = { record: this.#record, door: this.#door };
    this.#look = runtimeLook({ ...seen, options, leaving: this.#leaving });
    const isHurried = (): boolean => this.#stop.isHurried;
    this.#end = runtimeEnd({ ...seen, clock, log: this.#log, closing: this.#closing.signal, isHurried });
    this.#running = this.#run();
  }

  /** Null while there is none and none is wanted, or it has no address yet. */
  observe(): ObservedRuntime | null {
    const { latest, process } = this.#record;
    if (latest === null || (!this.#isWanted && process === null)) return null;
    const { environment, replica } = this.#options;
    const { port, grpcPort } = latest;
    return {
      environment,
      replica,
      instanceId: process?.instanceId ?? null,
      pid: process?.identity?.pid ?? null,
      address: this.#door.address(port),
      ownAddress: this.#door.address(ownPortOf(latest)),
      ...(grpcPort !== undefined && { grpcAddress: new URL(this.#door.address(grpcPort)).host }),
      state: this.#state,
    };
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  get isServing(): boolean {
    return this.#life?.isServing === true;
  }

  /** What is wanted already goes on undisturbed, a wait before its next start too. */
  want(target: LocalTarget): void {
    this.#leaving.stay();
    const isOther =
      this.#startedWith !== null && this.#startedWith !== startedWith(target, this.#options.redisFile);
    if (this.#isWanted && !isOther) return;
    if (!this.#isWanted) this.#state = 'starting';
    this.#isWanted = true;
    // Those died of other settings.
    if (isOther) this.#crashes = 0;
    this.#nudge();
  }

  /** Ends it once the others serve, and starts none in its place. */
  retire(reason: string): void {
    if (!this.#isWanted) return;
    this.#leaving.retire(reason);
    // A stop that is under way ends it anyway.
    const isStaying = this.#record.process !== null && !this.#stop.isAsked;
    if (isStaying && (this.#life?.isConfirmed || this.#life?.isAdopted)) this.#nudge();
    else this.stop(reason);
  }

  /** Ends the present process, and starts the next in its place. `isNamed`: this one is at fault. */
  replace(reason: string, isNamed: boolean): void {
    if (!this.#isWanted || this.#record.process === null) return;
    this.#leaving.replace(reason, isNamed);
    this.#nudge();
  }

  /** Asks it to end. `hurry` cuts its grace short. */
  stop(reason: string, hurry?: AbortSignal): void {
    if (!this.#isWanted && !this.#stop.isAsked) return;
    this.#isWanted = false;
    this.#leaving.stay();
    if (this.#life !== null) this.#life.isServing = false;
    this.#stop.ask(reason, hurry);
    this.#nudge();
  }

  /** Resolves once a stop was carried out, or is no longer ours to carry out. */
  stopped(): Promise<void> {
    return this.#stop.settled();
  }

  /** Ends the keeping, not the runtime. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#nudge();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closing.signal.aborted) {
      const wake = this.#wake.signal;
      const { process } = this.#record;
      try {
        if (this.#stop.isAsked) await this.#carryOutStop();
        else if (!this.#isWanted) await clock.sleep(REST_MS, wake);
        else if (process === null || this.#life === null) await this.#start(wake);
        else await this.#watch(this.#life, process, wake);
      } catch (error) {
        this.#log.notLookedAfter(error);
        await clock.sleep(LOOK_EVERY_MS, wake);
      }
    }
    this.#stop.giveUp();
  }

  async #start(wake: AbortSignal): Promise<void> {
    // It only stayed until the others serve, and died meanwhile.
    if (this.#leaving.surplus !== null) return this.stop(this.#leaving.surplus);
    const { clock } = this.#options;
    if (this.#crashes > 0) await clock.sleep(retryDelayMs(this.#crashes), wake);
    if (wake.aborted) return;

    const life = new RuntimeLife(clock, false);
    this.#life = life;
    try {
      await this.#spawn(life);
      life.patience.heard();
      this.#enter('starting');
    } catch (error) {
      this.#lost(life, messageOf(error));
    }
  }

  async #spawn(life: RuntimeLife): Promise<void> {
    const settings: Settings = this.#options.target() ?? settingsIn(this.#startedWith) ?? PLAIN;
    this.#startedWith = startedWith(settings, this.#options.redisFile);
    await startRuntime({
      options: this.#options,
      record: this.#record,
      ports: this.#ports,
      log: this.#log,
      settings,
      onExit: how => {
        life.exit = how;
        if (this.#life === life) this.#nudge();
      },
    });
  }

  async #watch(life: RuntimeLife, process: RememberedProcess, wake: AbortSignal): Promise<void> {
    const found = await this.#look(life, process, wake);
    switch (found.kind) {
      case 'gone':
        return this.#lost(life, found.how);
      case 'hung':
        return this.#killHung(life, process);
      case 'surplus':
        return this.stop(found.why);
      case 'useless':
        return this.#evict(life, found.why);
      case 'introduced':
        this.#confirmed(life, found.instanceId, found.pid);
        break;
      case 'as-before':
        break;
      default:
        return found satisfies never;
    }
    await this.#options.clock.sleep(life.isConfirmed ? LOOK_EVERY_MS : LOOK_AT_START_MS, wake);
  }

  #confirmed(life: RuntimeLife, instanceId: InstanceId, pid: number): void {
    life.isConfirmed = true;
    life.patience.heard();
    this.#enter('running');
    const address = this.#door.address(this.#record.latest!.port);
    const reason = `instance ${instanceId} answers at ${address}${this.#ports.news()}`;
    this.#news(life.isAdopted ? 'adopted' : 'started', reason, pid);
  }

  async #killHung(life: RuntimeLife, { identity }: RememberedProcess): Promise<void> {
    if (identity === null) return this.#lost(life, 'it was about to be spawned, and never answered');
    await this.#end.kill(identity);
    this.#lost(life, 'it did not answer and was killed');
  }

  /** For one that is sound, but no longer of use. */
  async #evict(life: RuntimeLife, why: string): Promise<void> {
    life.isServing = false;
    await this.#end.end(life);
    if (!this.#closing.signal.aborted) this.#lost(life, `${why} and was stopped`);
  }

  #lost(life: RuntimeLife, reason: string): void {
    const aliveMs = this.#options.clock.now() - life.since;
    const pid = this.#record.process?.identity?.pid ?? null;
    this.#crashes = Patience.isForgiven(aliveMs) ? 0 : this.#crashes + 1;
    this.#record.lose();
    this.#forget();
    this.#enter('lost');
    this.#log.lost(pid, reason, this.#crashes);
    this.#news('lost', reason, pid);
  }

  async #carryOutStop(): Promise<void> {
    const pid = await this.#end.end(this.#life);
    if (this.#closing.signal.aborted) return;

    const { latest } = this.#record;
    if (latest !== null) await this.#record.write({ ...latest, process: null });
    this.#forget();
    this.#crashes = 0;
    const { reason } = this.#stop;
    this.#stop.carriedOut();
    this.#news('stopped', reason, pid);
  }

  /** What it leaves behind is for the next. */
  #forget(): void {
    this.#life = null;
    this.#leaving.gone();
    this.#ports.release();
  }

  #enter(state: ObservedRuntime['state']): void {
    this.#state = state;
    this.#options.feed.notify();
  }

  #nudge(): void {
    const woken = this.#wake;
    this.#wake = new AbortController();
    woken.abort();
  }
}
