import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const LAST_WORDS_CHARS = 2000;
const STOP_MS = 5000;

export interface ChildOptions {
  program: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Each line of its standard output. */
  onLine?: (line: string) => void;
  /** With its exit code; 1 where a signal ended it. */
  onExit?: (code: number) => void;
}

/** A process with all that it starts, as one group, so that it can be ended as one. */
export class Child implements AsyncDisposable {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #gone: Promise<void>;
  #lastWords = '';
  #isGone = false;

  private constructor(process: ChildProcess, { onLine, onExit }: Pick<ChildOptions, 'onLine' | 'onExit'>) {
    this.pid = process.pid!;
    this.#process = process;
    this.#gone = new Promise(resolve =>
      process.once('exit', code => {
        this.#isGone = true;
        onExit?.(code ?? 1);
        resolve();
      }),
    );
    const hear = (line: string): void => {
      this.#lastWords = `${this.#lastWords}\n${line}`.slice(-LAST_WORDS_CHARS);
    };
    createInterface(process.stdout!).on('line', line => {
      hear(line);
      onLine?.(line);
    });
    createInterface(process.stderr!).on('line', hear);
  }

  static async start({ program, args, env = {}, cwd, ...heard }: ChildOptions): Promise<Child> {
    const options: SpawnOptions = {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
    };
    const child = spawn(program, args, options);
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    return new Child(child, heard);
  }

  /** What it said last, for the reason why it did not do. */
  get lastWords(): string {
    return this.#lastWords.trim();
  }

  /** Looks until `look` finds something; rejects when the process ends first, or after the bound. */
  async until<Found>(
    look: () => Promise<Found | null>,
    what: string,
    { boundMs, signal }: { boundMs: number; signal: AbortSignal },
  ): Promise<Found> {
    const until = performance.now() + boundMs;
    for (;;) {
      signal.throwIfAborted();
      const found = await look();
      if (found !== null) return found;
      if (this.#isGone) throw new Error(`it ended before ${what}: ${this.lastWords.slice(-400)}`);
      if (performance.now() > until)
        throw new Error(`${what} did not come within ${boundMs / 1000} s: ${this.lastWords.slice(-400)}`);
      await delay(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal('SIGTERM');
    const late = setTimeout(() => this.#signal('SIGKILL'), STOP_MS);
    await this.#gone;
    clearTimeout(late);
    // Whoever of the group outlived its first process.
    this.#signal('SIGKILL');
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The whole group is gone already.
    }
  }
}
