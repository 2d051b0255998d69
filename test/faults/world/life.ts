import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

const CLI = fileURLToPath(new URL('../../../controller/src/cli/main.ts', import.meta.url));
const UP_WITHIN_MS = 90_000;
const DOWN_WITHIN_MS = 45_000;

export interface LifeOptions {
  repo: string;
  lfs: string;
  state: string;
  environment: Readonly<Record<string, string>>;
  /** Everything that it prints. */
  onOutput: (text: string) => void;
}

/** One `switchback up`, from its start to its end. */
export class Life {
  readonly pid: number;
  readonly #child: ChildProcess;
  #said = '';

  constructor({ repo, lfs, state, environment, onOutput }: LifeOptions) {
    this.#child = spawn(process.execPath, [CLI, 'up', '--repo', repo, '--lfs', lfs, '--state', state], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.pid = this.#child.pid ?? 0;
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', chunk => {
        this.#said += String(chunk);
        onOutput(String(chunk));
      });
  }

  get said(): string {
    return this.#said;
  }

  /** Once it says that it is up. */
  async isUp(): Promise<void> {
    const isUp = await until(UP_WITHIN_MS, () => this.#isOver() || this.#said.includes('switchback is up'));
    if (!isUp || this.#isOver()) throw new Error(`up ended, or said nothing: ${this.#said.slice(-2000)}`);
  }

  /** Once it has ended, however; its exit code, or null where a signal ended it. */
  async over(): Promise<number | null> {
    if (!this.#isOver()) await once(this.#child, 'exit', { signal: AbortSignal.timeout(DOWN_WITHIN_MS) });
    return this.#child.exitCode;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.over();
  }

  #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
