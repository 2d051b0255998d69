import { join } from 'node:path';
import type { InstanceId, Instant } from '@switchback-ml/schemas';
import { messageOf } from '../../error.ts';
import type { ObservedRuntime, RuntimeChange } from '../actuation.ts';
import type { KeptRuntimeOptions } from './options.ts';
import { LOOK_AT_START_MS, LOOK_EVERY_MS, Patience, retryDelayMs } from './patience.ts';
import { choosePort } from './port.ts';
import { type ProcessIdentity, type ProcessRecord, processFile } from './process-record.ts';
import { type RuntimeDoor, runtimeDoor } from './runtime-door.ts';
import { runtimeLog } from './runtime-log.ts';
import { spawnRuntime } from './spawn-runtime.ts';
import { writeState } from './state-file.ts';
import { endProcess, identityOf, isAlive, killProcess } from './system-process.ts';

/** How long a runtime may take over the requests that it has accepted, once it was asked to stop. */
const GRACE_MS = 10_000;

/** Nothing is to be done until somebody wants something, which ends this wait. */
const REST_MS = 60_000;

/**
 * Keeps the one runtime of one environment: adopts it or starts it, watches it, replaces it, ends it, in a loop
 * of its own, so that a hung runtime holds up only itself.
 */
export class KeptRuntime {
  readonly #options: KeptRuntimeOptions;
  readonly #closing = new AbortController();
  readonly #patience: Patience;
  readonly #door: RuntimeDoor;
  readonly #log: ReturnType<typeof runtimeLog>;
  readonly #running: Promise<void>;

  #record: ProcessRecord | null;
  #state: ObservedRuntime['state'] = 'starting';
  /** Whether the process was here before us; only until it said who it is. */
  #isAdopting: boolean;
  /** Whether it has said who it is, to us. */
  #isConfirmed = false;
  #since: Instant;
  #exit: string | null = null;
  #crashes = 0;
  /** Tells the end of this process from that of an earlier one. */
  #lives = 0;
  #portNote = '';

  #isWanted = true;
  /** A stop that was asked for is carried out even if the runtime is wanted again meanwhile. */
  #stop: { reason: string; hurry: AbortSignal | undefined } | null = null;
  /** Why the present process shall be replaced although it is sound. */
  #useless: string | null = null;
  readonly #waiting: (() => void)[] = [];
  #wake = new AbortController();

  constructor(options: KeptRuntimeOptions) {
    this.#options = options;
    this.#record = options.remembered;
    this.#isAdopting = options.remembered?.process != null;
    this.#since = options.clock.now();
    this.#patience = new Patience(options.clock);
    this.#door = runtimeDoor(options);
    this.#log = runtimeLog(options.log, options.environment);
    this.#running = this.#run();
  }

  /** Null while there is none and none is wanted, or it has no address yet. */
  observe(): ObservedRuntime | null {
    if (this.#record === null || (!this.#isWanted && this.#record.process === null)) return null;
    const { port, process } = this.#record;
    return {
      environment: this.#options.environment,
      instanceId: process?.instanceId ?? null,
      pid: process?.identity?.pid ?? null,
      address: this.#door.address(port),
      state: this.#state,
    };
  }

  want(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#state = 'starting';
    this.#nudge();
  }

  /** Ends the present process, and starts the next in its place. */
  replace(reason: string): void {
    if (!this.#isWanted || this.#record?.process == null) return;
    this.#useless = reason;
    this.#nudge();
  }

  /** Asks it to end. `hurry` cuts its grace short. */
  stop(reason: string, hurry?: AbortSignal): void {
    if (!this.#isWanted && this.#stop === null) return;
    this.#isWanted = false;
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
    if (this.#crashes > 0) await this.#options.clock.sleep(retryDelayMs(this.#crashes), wake);
    if (wake.aborted) return;

    this.#since = this.#options.clock.now();
    this.#isAdopting = this.#isConfirmed = false;
    this.#exit = null;
    try {
      const { controllerUrl } = this.#options;
      const port = await this.#choosePort();
      await this.#remember({ port, process: { identity: null, instanceId: null, controllerUrl } });
      const pid = await this.#spawn(port);
      // Where the system won't tell, the runtime itself will once it answers.
      const identity = await identityOf(pid).catch(() => null);
      await this.#remember({ port, process: { identity, instanceId: null, controllerUrl } });
      this.#enter('starting');
    } catch (error) {
      this.#lost(messageOf(error));
    }
  }

  /** One look. A process that is there but does not say who it is may be anything, and is not `running`. */
  async #watch(wake: AbortSignal): Promise<void> {
    const { port, process } = this.#record!;
    const identity = process?.identity ?? null;
    if (this.#exit !== null || (identity !== null && !(await isAlive(identity)))) return this.#died(wake);
    if (this.#useless !== null) return this.#evict(this.#useless);

    const isHeard = this.#isConfirmed ? await this.#door.isAnswering(port, wake) : await this.#confirm(wake);
    if (wake.aborted) return;
    if (isHeard) this.#patience.heard();
    else if (this.#patience.isOver(this.#isStarting())) return this.#replace(identity);
    await this.#options.clock.sleep(this.#isConfirmed ? LOOK_EVERY_MS : LOOK_AT_START_MS, wake);
  }

  /** The system may know before we are told how it ended; whose child it is not, that is never told. */
  async #died(wake: AbortSignal): Promise<void> {
    if (this.#exit === null) await this.#options.clock.sleep(LOOK_AT_START_MS, wake);
    this.#lost(this.#exit ?? 'it is gone; nobody saw how it ended');
  }

  /** Whether it said that it is this environment's runtime, and the very one that we remember. */
  async #confirm(wake: AbortSignal): Promise<boolean> {
    const { port, process } = this.#record!;
    const word = await this.#door.word(port, wake);
    if (word === null || process === null) return false;
    if (process.instanceId !== null && process.instanceId !== word.instanceId) return false;

    const identity = process.identity ?? (await identityOf(word.pid));
    if (identity === null) return false;
    await this.#remember({ port, process: { ...process, identity, instanceId: word.instanceId } });
    if (process.controllerUrl === this.#options.controllerUrl) this.#confirmed(word.instanceId, identity.pid);
    else await this.#evict(`it asks a controller at ${process.controllerUrl}`);
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
    await this.#terminate();
    if (!this.#closing.signal.aborted) this.#lost(`${why} and was stopped`);
  }

  #lost(reason: string): void {
    const aliveMs = this.#options.clock.now() - this.#since;
    const pid = this.#record?.process?.identity?.pid ?? null;
    this.#crashes = Patience.isForgiven(aliveMs) ? 1 : this.#crashes + 1;
    if (this.#record !== null) this.#record = { ...this.#record, process: null };
    this.#isConfirmed = this.#isAdopting = false;
    this.#useless = null;
    this.#lives++;
    this.#enter('lost');
    this.#log.lost(pid, reason, this.#crashes);
    this.#tell('lost', reason, pid);
  }

  async #carryOut(): Promise<void> {
    const pid = await this.#terminate();
    if (this.#closing.signal.aborted) return;

    if (this.#record !== null) await this.#remember({ port: this.#record.port, process: null });
    const reason = this.#stop?.reason ?? '';
    this.#isConfirmed = this.#isAdopting = false;
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
    const { port, process } = this.#record;
    if (process.identity !== null) return process.identity;
    const word = await this.#door.word(port, this.#closing.signal);
    return word === null ? null : identityOf(word.pid);
  }

  async #choosePort(): Promise<number> {
    const { host, basePort, claimed } = this.#options;
    const remembered = this.#record?.port ?? null;
    const port = await choosePort({ host, remembered, basePort, claimed });
    if (remembered !== null && remembered !== port) {
      claimed.delete(remembered);
      this.#portNote = `; port ${remembered} was taken by another program`;
      this.#log.portTaken(remembered, port);
    }
    return port;
  }

  async #spawn(port: number): Promise<number> {
    const { environment, directory } = this.#options;
    const stateDirectory = join(directory, environment);
    const life = ++this.#lives;
    const pid = await spawnRuntime({ ...this.#options, stateDirectory, port }, how => {
      if (this.#lives !== life) return;
      this.#exit = how;
      this.#nudge();
    });
    this.#log.spawned(pid, port);
    return pid;
  }

  /** Serving goes before bookkeeping: with a full disk the runtime still runs. */
  async #remember(record: ProcessRecord): Promise<void> {
    const { directory, environment } = this.#options;
    this.#record = record;
    try {
      await writeState(processFile(directory, environment), record);
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
    this.#options.feed.add({ kind, environment: this.#options.environment, reason, pid });
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
