import { type InstanceId, type Instant, LocalTarget, runtimeName } from '@switchback-ml/schemas';
import { messageOf } from '../../error.ts';
import type { ObservedRuntime, RuntimeChange } from '../actuation.ts';
import { engineMemoryBytes } from './engine-memory.ts';
import { Leaving, otherController } from './leaving.ts';
import type { KeptRuntimeOptions, Sibling } from './options.ts';
import { LOOK_AT_START_MS, LOOK_EVERY_MS, Patience, retryDelayMs } from './patience.ts';
import { type ProcessIdentity, type ProcessRecord, processFile, replicaFolder } from './process-record.ts';
import { type RuntimeDoor, runtimeDoor } from './runtime-door.ts';
import { runtimeLog } from './runtime-log.ts';
import { type Ports, RuntimePorts } from './runtime-ports.ts';
import { spawnRuntime } from './spawn-runtime.ts';
import { type Settings, type StartedWith, settingsIn, startedWith } from './started-with.ts';
import { writeState } from './state-file.ts';
import { endProcess, identityOf, isAlive, killProcess } from './system-process.ts';

/** How long a runtime may take over the requests that it has accepted, once it was asked to stop. */
const GRACE_MS = 10_000;

/** Nothing is to be done until somebody wants something, which ends this wait. */
const REST_MS = 60_000;

/** Who is not ready by then has a reason that waiting does not mend, and serves what it can. */
const SERVES_WITHIN_MS = 60_000;

const PLAIN = LocalTarget.parse({});

/**
 * Keeps one runtime of one environment: adopts it or starts it, watches it, replaces it, ends it, in a loop
 * of its own, so that a hung runtime holds up only itself.
 */
export class KeptRuntime implements Sibling {
  readonly #options: KeptRuntimeOptions;
  readonly #closing = new AbortController();
  readonly #patience: Patience;
  readonly #door: RuntimeDoor;
  readonly #log: ReturnType<typeof runtimeLog>;
  readonly #ports: RuntimePorts;
  readonly #leaving: Leaving;
  readonly #running: Promise<void>;

  #record: ProcessRecord | null;
  /** Of the present process, or else of the last. */
  #startedWith: StartedWith;
  #state: ObservedRuntime['state'] = 'starting';
  /** Whether the process was here before us; only until it said who it is. */
  #isAdopting: boolean;
  /** Whether it has said who it is, to us. */
  #isConfirmed = false;
  #servesSince: Instant | null = null;
  #since: Instant;
  #exit: string | null = null;
  #crashes = 0;
  /** Tells the end of this process from that of an earlier one. */
  #lives = 0;
  #portNote = '';

  #isWanted = true;
  /** A stop that was asked for is carried out even if the runtime is wanted again meanwhile. */
  #stop: { reason: string; hurry: AbortSignal | undefined } | null = null;
  readonly #waiting: (() => void)[] = [];
  #wake = new AbortController();

  constructor(options: KeptRuntimeOptions) {
    this.#options = options;
    this.#record = options.remembered;
    this.#startedWith = options.remembered?.process?.startedWith ?? null;
    this.#isAdopting = options.remembered?.process != null;
    this.#since = options.clock.now();
    this.#patience = new Patience(options.clock);
    this.#door = runtimeDoor(options);
    this.#log = runtimeLog(options.log, options);
    this.#ports = new RuntimePorts(options, this.#isAdopting);
    this.#leaving = new Leaving(options);
    this.#running = this.#run();
  }

  /** Null while there is none and none is wanted, or it has no address yet. */
  observe(): ObservedRuntime | null {
    if (this.#record === null || (!this.#isWanted && this.#record.process === null)) return null;
    const { environment, replica } = this.#options;
    const { port, ownPort = port, grpcPort, process } = this.#record;
    return {
      environment,
      replica,
      instanceId: process?.instanceId ?? null,
      pid: process?.identity?.pid ?? null,
      address: this.#door.address(port),
      ownAddress: this.#door.address(ownPort),
      ...(grpcPort !== undefined && { grpcAddress: new URL(this.#door.address(grpcPort)).host }),
      state: this.#state,
    };
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  get isServing(): boolean {
    return this.#servesSince !== null;
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
    const isThere = this.#record?.process != null;
    if (isThere && (this.#isConfirmed || this.#isAdopting)) this.#nudge();
    else this.stop(reason);
  }

  /** Ends the present process, and starts the next in its place. `isNamed`: this one is at fault. */
  replace(reason: string, isNamed: boolean): void {
    if (!this.#isWanted || this.#record?.process == null) return;
    this.#leaving.replace(reason, isNamed);
    this.#nudge();
  }

  /** Asks it to end. `hurry` cuts its grace short. */
  stop(reason: string, hurry?: AbortSignal): void {
    if (!this.#isWanted && this.#stop === null) return;
    this.#isWanted = false;
    this.#leaving.stay();
    this.#servesSince = null;
    this.#stop = { reason, hurry };
    this.#nudge();
  }

  /** Resolves once a stop was carried out, or is no longer ours to carry out. */
  stopped(): Promise<void> {
    if (this.#stop === null || this.#closing.signal.aborted) return Promise.resolve();
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** Ends the keeping, not the runtime. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#nudge();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const wake = this.#wake.signal;
      try {
        if (this.#stop !== null) await this.#carryOut();
        else if (!this.#isWanted) await this.#options.clock.sleep(REST_MS, wake);
        else if (this.#record?.process == null) await this.#start(wake);
        else await this.#watch(wake);
      } catch (error) {
        this.#log.notLookedAfter(error);
        await this.#options.clock.sleep(LOOK_EVERY_MS, wake);
      }
    }
    this.#tellStopped();
  }

  async #start(wake: AbortSignal): Promise<void> {
    // It only stayed until the others serve, and died meanwhile.
    if (this.#leaving.surplus !== null) return this.stop(this.#leaving.surplus);
    if (this.#crashes > 0) await this.#options.clock.sleep(retryDelayMs(this.#crashes), wake);
    if (wake.aborted) return;

    this.#since = this.#options.clock.now();
    this.#isAdopting = this.#isConfirmed = false;
    this.#exit = null;
    try {
      const { controllerUrl, redisFile, target } = this.#options;
      const asked = target() ?? settingsIn(this.#startedWith) ?? PLAIN;
      this.#startedWith = startedWith(asked, redisFile);
      const ports = await this.#takePorts(asked);
      const process = { instanceId: null, controllerUrl, startedWith: this.#startedWith };
      await this.#remember({ ...ports, process: { ...process, identity: null } });
      const pid = await this.#spawn(ports, asked);
      // Where the system won't tell, the runtime itself will once it answers.
      const identity = await identityOf(pid).catch(() => null);
      await this.#remember({ ...ports, process: { ...process, identity } });
      this.#enter('starting');
    } catch (error) {
      this.#lost(messageOf(error));
    }
  }

  /** One look. A process that is there but does not say who it is may be anything, and is not `running`. */
  async #watch(wake: AbortSignal): Promise<void> {
    const identity = this.#record?.process?.identity ?? null;
    if (this.#exit !== null || (identity !== null && !(await isAlive(identity)))) return this.#died(wake);
    const { process } = this.#record!;
    if (process !== null && this.#isConfirmed) {
      const due = this.#leaving.due(process);
      if (due !== null) return due.kind === 'surplus' ? this.stop(due.why) : this.#evict(due.why);
    }

    const isHeard = this.#isConfirmed ? await this.#isAnswering(wake) : await this.#confirm(wake);
    if (wake.aborted) return;
    if (isHeard) this.#patience.heard();
    else if (this.#patience.isOver(this.#isStarting())) return this.#replace(identity);
    await this.#options.clock.sleep(this.#isConfirmed ? LOOK_EVERY_MS : LOOK_AT_START_MS, wake);
  }

  /** Also learns whether it serves; that it did once is enough, since the others only wait for the beginning. */
  async #isAnswering(wake: AbortSignal): Promise<boolean> {
    if (this.isServing) return this.#door.isAnswering(this.#ownPort(), wake);
    const isReady = await this.#door.isReady(this.#ownPort(), wake);
    if (!isReady && !(await this.#door.isAnswering(this.#ownPort(), wake))) return false;
    const now = this.#options.clock.now();
    if (isReady || now - this.#since >= SERVES_WITHIN_MS) this.#servesSince = now;
    return true;
  }

  #ownPort(): number {
    return this.#record!.ownPort ?? this.#record!.port;
  }

  /** The system may know before we are told how it ended; whose child it is not, that is never told. */
  async #died(wake: AbortSignal): Promise<void> {
    if (this.#exit === null) await this.#options.clock.sleep(LOOK_AT_START_MS, wake);
    this.#lost(this.#exit ?? 'it is gone; nobody saw how it ended');
  }

  /** Whether it said that it is this environment's runtime, and the very one that we remember. */
  async #confirm(wake: AbortSignal): Promise<boolean> {
    const { process, ...ports } = this.#record!;
    const word = await this.#door.word(this.#ownPort(), wake);
    if (word === null || process === null) return false;
    if (process.instanceId !== null && process.instanceId !== word.instanceId) return false;

    const identity = process.identity ?? (await identityOf(word.pid));
    if (identity === null) return false;
    await this.#remember({ ...ports, process: { ...process, identity, instanceId: word.instanceId } });
    const isOurs = process.controllerUrl === this.#options.controllerUrl;
    if (isOurs || this.#options.siblings().length > 0) this.#confirmed(word.instanceId, identity.pid);
    else await this.#evict(otherController(process.controllerUrl));
    return true;
  }

  #confirmed(instanceId: InstanceId, pid: number): void {
    this.#isConfirmed = true;
    this.#enter('running');
    const address = this.#door.address(this.#record!.port);
    const reason = `instance ${instanceId} answers at ${address}${this.#portNote}`;
    this.#tell(this.#isAdopting ? 'adopted' : 'started', reason, pid);
    this.#isAdopting = false;
    this.#portNote = '';
  }

  /** Whether it may still be loading: it never spoke, and there is a process that can. */
  #isStarting(): boolean {
    const process = this.#record?.process;
    return process?.instanceId === null && (process.identity !== null || !this.#isAdopting);
  }

  async #replace(identity: ProcessIdentity | null): Promise<void> {
    if (identity === null) return this.#lost('it was about to be spawned, and never answered');
    await this.#kill(identity);
    this.#lost('it did not answer and was killed');
  }

  async #kill(identity: ProcessIdentity): Promise<void> {
    if (!(await killProcess(identity, this.#options.clock))) this.#log.notKilled(identity.pid);
  }

  /** For one that is sound, but no longer of use. */
  async #evict(why: string): Promise<void> {
    this.#servesSince = null;
    await this.#terminate();
    if (!this.#closing.signal.aborted) this.#lost(`${why} and was stopped`);
  }

  #lost(reason: string): void {
    const aliveMs = this.#options.clock.now() - this.#since;
    const pid = this.#record?.process?.identity?.pid ?? null;
    this.#crashes = Patience.isForgiven(aliveMs) ? 1 : this.#crashes + 1;
    if (this.#record !== null) this.#record = { ...this.#record, process: null };
    this.#forget();
    this.#lives++;
    this.#enter('lost');
    this.#log.lost(pid, reason, this.#crashes);
    this.#tell('lost', reason, pid);
  }

  async #carryOut(): Promise<void> {
    const pid = await this.#terminate();
    if (this.#closing.signal.aborted) return;

    if (this.#record !== null) await this.#remember({ ...this.#record, process: null });
    const reason = this.#stop?.reason ?? '';
    this.#forget();
    this.#crashes = 0;
    this.#stop = null;
    this.#tell('stopped', reason, pid);
    this.#tellStopped();
  }

  /** The pid of what is gone now. Leaves it alone once the controller itself is closing. */
  async #terminate(): Promise<number | null> {
    const identity = await this.#identity();
    if (identity === null) return null;
    const isClosing = (): boolean => this.#closing.signal.aborted;
    const isCut = (): boolean => isClosing() || this.#stop?.hurry?.aborted === true;
    const isGone = await endProcess(identity, { graceMs: GRACE_MS, clock: this.#options.clock, isCut });
    if (!isGone && !isClosing()) await this.#kill(identity);
    return identity.pid;
  }

  /** Asks where a controller died before it could write down whom it had spawned. */
  async #identity(): Promise<ProcessIdentity | null> {
    if (this.#record?.process == null) return null;
    const { process } = this.#record;
    if (process.identity !== null) return process.identity;
    const word = await this.#door.word(this.#ownPort(), this.#closing.signal);
    return word === null ? null : identityOf(word.pid);
  }

  /** What it leaves behind is for the next. */
  #forget(): void {
    this.#isConfirmed = this.#isAdopting = false;
    this.#servesSince = null;
    this.#leaving.gone();
    this.#ports.release();
  }

  async #takePorts(settings: Settings): Promise<Ports & { ownPort: number }> {
    const before = this.#record?.port;
    const ports = await this.#ports.take(this.#record?.ownPort, settings);
    if (before !== undefined && before !== ports.port) {
      this.#portNote = `; port ${before} was taken by another program`;
      this.#log.portTaken(before, ports.port);
    }
    return ports;
  }

  async #spawn(ports: Ports & { ownPort: number }, { cacheMemory }: Settings): Promise<number> {
    const { directory, platform, siblings, runtimesInAll } = this.#options;
    const stateDirectory = replicaFolder(directory, this.#options);
    // Who comes to others answers its first request when it can; who is alone says at once why it can't.
    const joining = siblings().some(({ isServing }) => isServing)
      ? ('when-ready' as const)
      : ('at-once' as const);
    const sharePort = platform === 'linux' ? joining : undefined;
    const life = ++this.#lives;
    const bounds = { cacheBytes: cacheMemory, engineMemoryBytes: engineMemoryBytes(runtimesInAll()) };
    const asked = { ...this.#options, ...ports, ...bounds, sharePort, stateDirectory };
    const pid = await spawnRuntime({ ...asked, grpcPort: ports.grpcPort }, how => {
      if (this.#lives !== life) return;
      this.#exit = how;
      this.#nudge();
    });
    this.#log.spawned(pid, ports.port);
    return pid;
  }

  /** Serving goes before bookkeeping: with a full disk the runtime still runs. */
  async #remember(record: ProcessRecord): Promise<void> {
    this.#record = record;
    try {
      await writeState(processFile(this.#options.directory, this.#options), record);
    } catch (error) {
      this.#log.notWritten(error);
    }
  }

  #enter(state: ObservedRuntime['state']): void {
    this.#state = state;
    this.#patience.heard();
    this.#options.feed.notify();
  }

  #tell(kind: RuntimeChange['kind'], reason: string, pid: number | null): void {
    const { environment, replica, siblings, feed } = this.#options;
    const isOneOfMany = replica > 0 || siblings().length > 0;
    const told = isOneOfMany ? `${runtimeName(environment, replica)}: ${reason}` : reason;
    feed.add({ kind, environment, reason: told, pid });
  }

  #nudge(): void {
    const woken = this.#wake;
    this.#wake = new AbortController();
    woken.abort();
  }

  #tellStopped(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
