import type { KeptRuntimeOptions } from './options.ts';
import type { RememberedProcess } from './process-record.ts';
import { type RuntimeLog, runtimeLog } from './runtime-log.ts';
import { whyStale } from './started-with.ts';

/** How long one that is surplus, or was named, stays for the others' sake. */
const STAYS_AT_MOST_MS = 60_000;

/** Why a process goes: surplus has no successor, the others have. */
interface Reason {
  kind: 'surplus' | 'named' | 'outdated';
  why: string;
}

/** Whether a sound runtime shall go, why, and since when it only stays until others can do without it. */
export class Leaving {
  readonly #options: Pick<
    KeptRuntimeOptions,
    'clock' | 'controllerUrl' | 'redisFile' | 'target' | 'siblings'
  >;
  readonly #log: RuntimeLog;
  /** Why the present process shall be replaced by another. */
  #useless: Reason | null = null;
  /** Why there shall be none any more. */
  #surplus: string | null = null;
  #staysSince: number | null = null;
  #isTold = false;

  constructor(options: KeptRuntimeOptions) {
    this.#options = options;
    this.#log = runtimeLog(options.log, options);
  }

  /** Why there shall be none any more; null: there shall. */
  get surplus(): string | null {
    return this.#surplus;
  }

  retire(reason: string): void {
    this.#surplus = reason;
  }

  /** `isNamed`: this very one shall go, and not whichever the environment has. */
  replace(reason: string, isNamed: boolean): void {
    this.#useless = { kind: isNamed ? 'named' : 'outdated', why: reason };
  }

  /** It is wanted, after all. */
  stay(): void {
    this.#surplus = null;
  }

  /** The process is gone. */
  gone(): void {
    this.#useless = null;
    this.#rest();
  }

  /** Why the process shall end now; null: it shall stay, or has to for the time being. */
  due(process: RememberedProcess): Reason | null {
    const reason = this.#reason(process);
    if (reason === null) this.#rest();
    return reason !== null && this.#mayGo(reason, process) ? reason : null;
  }

  #reason({ controllerUrl: asks, startedWith }: RememberedProcess): Reason | null {
    const { controllerUrl, redisFile, target } = this.#options;
    if (this.#surplus !== null) return { kind: 'surplus', why: this.#surplus };
    if (this.#useless !== null) return this.#useless;
    if (asks !== controllerUrl) return { kind: 'outdated', why: otherController(asks) };
    const wanted = target();
    const stale = wanted === null ? null : whyStale(startedWith, wanted, redisFile);
    return stale === null ? null : { kind: 'outdated', why: stale };
  }

  /**
   * Whether others answer requests. One that is merely outdated is better than nobody: where its successors can't
   * start, waiting for them is what keeps the environment served.
   */
  #mayGo({ kind, why }: Reason, { startedWith }: RememberedProcess): boolean {
    const { clock, siblings } = this.#options;
    const now = clock.now();
    this.#staysSince ??= now;
    // One that shares its port with nobody keeps the others from serving.
    const isAlone = startedWith === null;
    if (isAlone || siblings().every(({ isServing }) => isServing)) return true;
    if (now - this.#staysSince < STAYS_AT_MOST_MS) return false;
    if (kind !== 'outdated') return true;
    if (!this.#isTold) this.#log.stays(why);
    this.#isTold = true;
    return false;
  }

  #rest(): void {
    this.#staysSince = null;
    this.#isTold = false;
  }
}

export function otherController(url: string): string {
  return `it asks a controller at ${url}`;
}
