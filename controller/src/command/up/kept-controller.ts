import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../error.ts';
import { lastWords } from './last-words.ts';
import { rotateIdle } from './log-keeper.ts';

const SHORTEST_BACK_OFF_MS = 200;
const LONGEST_BACK_OFF_MS = 10_000;
/** After a life of this length an end is a new misfortune, not the same one again. */
const HEALTHY_AFTER_MS = 60_000;
/** A controller that never became ready is wrong, not unlucky: its own words tell why. */
const MOST_FAILED_STARTS = 3;
const STOP_WITHIN_MS = 20_000;

export interface KeptControllerOptions {
  /** Program and arguments. */
  command: readonly string[];
  /** Where Node keeps the controller, and its runtimes, as it has compiled them, unless the environment names a place. */
  codeFolder: string;
  logFile: string;
  clock: Clock;
  /** Told in words how a life ended, and when the next begins. */
  onEnd: (how: string, againInMs: number) => void;
}

/** The controller process, started again with back-off whenever it dies. */
export class KeptController {
  /** Why it is not started again: it was stopped, or never became ready. */
  readonly exited: Promise<string>;
  readonly #options: KeptControllerOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | null = null;
  #wasReady = false;

  constructor(options: KeptControllerOptions) {
    this.#options = options;
    this.exited = this.#keep();
  }

  /** Of the present life; null between two. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** From now on it is started again for as long as it takes. */
  ready(): void {
    this.#wasReady = true;
  }

  /** Asks it to end, and makes it after twenty seconds. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    child?.kill('SIGTERM');
    const patience = new AbortController();
    const killed = this.#options.clock.sleep(STOP_WITHIN_MS, patience.signal).then(() => {
      if (!patience.signal.aborted) child?.kill('SIGKILL');
    });
    await this.exited;
    patience.abort();
    await killed;
  }

  async #keep(): Promise<string> {
    const { clock, onEnd } = this.#options;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const startedAt = clock.now();
      const how = await this.#live();
      if (this.#stopping.signal.aborted) break;
      failures = clock.now() - startedAt >= HEALTHY_AFTER_MS ? 1 : failures + 1;
      if (!this.#wasReady && failures >= MOST_FAILED_STARTS) return how;
      const againInMs = Math.min(LONGEST_BACK_OFF_MS, SHORTEST_BACK_OFF_MS * 2 ** (failures - 1));
      onEnd(how, againInMs);
      await clock.sleep(againInMs, this.#stopping.signal);
    }
    return 'it was stopped';
  }

  /** One life, from start to end; how it ended. */
  async #live(): Promise<string> {
    const { command, codeFolder, logFile } = this.#options;
    const [program = '', ...args] = command;
    await using log = await openLog(logFile);
    const from = (await log.stat()).size;
    if (this.#stopping.signal.aborted) return 'it was stopped';
    const child = spawn(program, args, {
      // It sees our death as the end of its stdin, and leaves the runtimes to be adopted.
      stdio: ['pipe', log.fd, log.fd],
      // A session of its own: the terminal's Ctrl-C is for us, who stop it in order.
      detached: true,
      env: { NODE_COMPILE_CACHE: codeFolder, ...process.env },
    });
    this.#child = child;
    child.stdin?.on('error', () => {});
    const how = await new Promise<string>(resolve => {
      child.once('error', error => resolve(`it could not be started: ${messageOf(error)}`));
      child.once('exit', (code, signal) =>
        resolve(signal ? `it was ended by ${signal}` : `it exited with ${code}`),
      );
    });
    this.#child = null;
    const words = await lastWords(logFile, from);
    return words === null ? how : `${how}: ${words}`;
  }
}

async function openLog(file: string) {
  await rotateIdle(file);
  return open(file, 'a', 0o600);
}
