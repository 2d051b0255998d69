import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./remote-process.ts', import.meta.url));
const START_WITHIN_MS = 15_000;
const STOP_WITHIN_MS = 10_000;

/** A git and LFS server in a process of its own, on one port for all its lives. */
export class Remote implements AsyncDisposable {
  readonly #directory: string;
  readonly #onPush: () => void;
  #child: ChildProcess | null = null;
  #port = 0;

  private constructor(directory: string, onPush: () => void) {
    this.#directory = directory;
    this.#onPush = onPush;
  }

  static async open(directory: string, onPush: () => void): Promise<Remote> {
    const remote = new Remote(directory, onPush);
    await remote.start();
    return remote;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/models.git`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const args = [PROGRAM, this.#directory, String(this.#port)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    const gone = new AbortController();
    child.once('exit', () => gone.abort(new Error('the remote could not be started')));
    const bound = AbortSignal.any([gone.signal, AbortSignal.timeout(START_WITHIN_MS)]);
    try {
      const [{ port }] = (await once(child, 'message', { signal: bound })) as [{ port: number }];
      this.#port = port;
    } catch (error) {
      await this.stop();
      throw error;
    }
    child.on('message', () => this.#onPush());
  }

  /** In order; by force what does not hear. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, 'exit', { signal: AbortSignal.timeout(STOP_WITHIN_MS) });
    if (child.connected) child.disconnect();
    try {
      await over;
    } catch {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
