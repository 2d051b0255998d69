import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OBSERVATION_PATH } from '@switchback-ml/schemas';
import { ENVIRONMENT } from '../serving/subject/snapshot.ts';
import { descendants, usageOf } from '../serving/usage/processes.ts';

const MAIN = fileURLToPath(new URL('../../runtime/src/main.ts', import.meta.url));
const STOP_MS = 15_000;

export interface RuntimeProcessOptions {
  controller: string;
  token: string;
  key: string;
  /** Kept by whoever calls: a second one on it is a restart. */
  stateDir: string;
  budgetMib: number;
}

/** What is looked at of one revision. */
export interface Seen {
  model: string;
  state: string;
  asleep?: boolean;
  loadMs?: number;
  failure?: { message: string };
}

/** A runtime as it is started in earnest. It stays in our group and session, and so at our priority. */
export class RuntimeProcess implements AsyncDisposable {
  readonly #options: RuntimeProcessOptions;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #address: string | null = null;

  private constructor(options: RuntimeProcessOptions, child: ChildProcess) {
    this.#options = options;
    this.#child = child;
    this.#exit = new Promise(resolve => child.once('exit', resolve));
    createInterface(child.stdout!).on('line', line => {
      const { msg, address } = JSON.parse(line) as { msg?: string; address?: string };
      if (msg === 'runtime is listening' && address !== undefined) this.#address = address;
    });
  }

  static async start(options: RuntimeProcessOptions): Promise<RuntimeProcess> {
    const { controller, token, stateDir, budgetMib } = options;
    const tokenFile = `${stateDir}.token`;
    await writeFile(tokenFile, token);
    const said = {
      environment: ENVIRONMENT,
      controller,
      state: stateDir,
      'token-file': tokenFile,
      'engine-memory-mib': String(budgetMib),
    };
    const args = [MAIN, ...Object.entries(said).flatMap(([name, value]) => [`--${name}`, value])];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const runtime = new RuntimeProcess(options, child);
    await runtime.until(async () => runtime.#address !== null, 60);
    return runtime;
  }

  get address(): string {
    return this.#address!;
  }

  /** Looks until it is so. */
  async until(isSo: () => Promise<boolean>, boundSeconds: number): Promise<void> {
    const until = performance.now() + boundSeconds * 1000;
    while (!(await isSo())) {
      if (performance.now() > until) throw new Error(`it was not so within ${boundSeconds} s`);
      if (this.#child.exitCode !== null)
        throw new Error(`the runtime ended with code ${this.#child.exitCode}`);
      await delay(100);
    }
  }

  async observe(): Promise<{ loaded: Seen[]; routes: Record<string, unknown> }> {
    const { body } = await this.get(OBSERVATION_PATH, this.#options.token);
    return JSON.parse(body) as { loaded: Seen[]; routes: Record<string, unknown> };
  }

  async get(
    path: string,
    secret = this.#options.key,
    method = 'GET',
  ): Promise<{ body: string; status: number; ms: number }> {
    const began = performance.now();
    const headers = { authorization: `Bearer ${secret}` };
    const response = await fetch(this.address + path, { method, headers });
    const body = await response.text();
    return { body, status: response.status, ms: performance.now() - began };
  }

  /** Of the front, what is resident; of all engines together, also what each holds alone, as the budget counts it. */
  memory(): { frontBytes: number; engineBytes: number; engineResidentBytes: number; engines: number } {
    const engines = descendants(this.#child.pid!);
    return {
      frontBytes: usageOf([this.#child.pid!]).residentBytes,
      engineBytes: engines.reduce((sum, pid) => sum + ownBytesOf(pid), 0),
      engineResidentBytes: usageOf(engines).residentBytes,
      engines: engines.length,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#exit;
    clearTimeout(late);
  }
}

/** 0 for one that is gone. */
function ownBytesOf(pid: number): number {
  try {
    const kib = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}
