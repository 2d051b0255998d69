import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  events,
  type Running,
  remoteServer,
  seedRepository,
  status,
  up,
} from '@switchback-ml/controller/command';
import { type Event, OBSERVATION_PATH, type RuntimeStatus } from '@switchback-ml/schemas';
import { readRows } from '../../bench/replay/rows.ts';
import { BRANCH } from '../../demo/place.ts';
import { MODEL, makeModelFolder } from './model-folder.fixture.ts';
import { Person } from './person.fixture.ts';
import { Processes, type SeenProcess } from './processes.fixture.ts';
import { Load } from './replicas-load.fixture.ts';
import { PATIENCE_MS } from './world.fixture.ts';

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../../controller/src/cli/main.ts', import.meta.url));
const ROWS = fileURLToPath(new URL('../../examples/rows/everyday.csv', import.meta.url));
const ANSWER_WITHIN_MS = 10_000;

/** As it stands in environment.yaml. */
export interface Local {
  runtimes: number;
  cacheMemory?: string;
}

export type Runtime = RuntimeStatus & { pid: number };

/** A Switchback with one model in one environment, whose runtimes are asked all the time. */
export class Place implements AsyncDisposable {
  readonly processes: Processes;
  readonly load: Load;
  readonly #running: Running;
  readonly #person: Person;
  readonly #runtimeToken: string;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    running: Running,
    person: Person,
    { processes, load, runtimeToken }: { processes: Processes; load: Load; runtimeToken: string },
    parts: AsyncDisposableStack,
  ) {
    this.processes = processes;
    this.load = load;
    this.#running = running;
    this.#person = person;
    this.#runtimeToken = runtimeToken;
    this.#parts = parts;
  }

  static async open(local: Local): Promise<Place> {
    await using parts = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'switchback-replicas-'));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    await seed(directory, local);
    const remote = parts.use(await remoteServer({ directory: join(directory, 'remote') }));
    const repo = remote.url('models');
    const person = await Person.clone(repo, join(directory, 'person'));
    const processes = new Processes(directory);
    parts.defer(async () => processes.kill(...(await processes.living()).map(({ pid }) => pid)));
    const state = join(directory, 'state');
    const running = parts.use(await up({ repo, branch: BRANCH, state, poll: '500ms' }));
    const runtimeToken = await secret(state, 'runtime-token');
    const load = parts.use(new Load(await inference(running, runtimeToken)));
    return new Place(running, person, { processes, load, runtimeToken }, parts.move());
  }

  get controller(): number | null {
    return this.#running.pid();
  }

  /** Commits what the environment shall run on. */
  async target(local: Local): Promise<void> {
    const files = { 'environments/prod/environment.yaml': environmentText(local) };
    await this.#person.edit('Run on something else', files);
  }

  /** Once so many run, and no others, and each has answered some of what is asked of all. */
  runs(count: number, fits: (runtimes: readonly Runtime[]) => boolean = () => true): Promise<Runtime[]> {
    return this.until(`${count} runtimes to answer`, async () => {
      const runtimes = await this.#runtimes();
      if (runtimes.length !== count || runtimes.some(({ state }) => state !== 'running')) return null;
      if (!fits(runtimes)) return null;
      const attempts = await Promise.all(runtimes.map(runtime => this.#attemptsOf(runtime)));
      return attempts.every(each => each > 0) ? runtimes : null;
    });
  }

  /** What is there when something is looked for again after some more answers; null, or an error: not yet. */
  async until<Found>(what: string, look: () => Promise<Found | null>): Promise<Found> {
    const until = performance.now() + PATIENCE_MS;
    let found: unknown = null;
    while (performance.now() < until) {
      found = await look().catch((error: unknown) => error);
      if (found !== null && !(found instanceof Error)) return found as Found;
      await this.load.more(5);
    }
    throw new Error(`waited ${PATIENCE_MS / 1000} s in vain for ${what}`, { cause: found });
  }

  /** What the command prints; rejects unless it ends well. */
  async switchback(...words: string[]): Promise<string> {
    const { state } = this.#running;
    // Of no settings that this machine's owner happens to have.
    const env = { PATH: process.env['PATH'], HOME: state };
    const options = { cwd: state, env, timeout: PATIENCE_MS };
    const { stdout } = await run(process.execPath, [CLI, ...words, '--state', state], options);
    return stdout;
  }

  async events(type: string): Promise<Event[]> {
    const { state } = this.#running;
    const asked = { state, follow: false, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
    const found: Event[] = [];
    for await (const event of events(asked)) if (event.type === type) found.push(event);
    return found;
  }

  /** Ends everything in order; whatever is left over is told. */
  async stop(): Promise<SeenProcess[]> {
    await this.load[Symbol.asyncDispose]();
    await this.processes.living();
    await this.#running.stop();
    return this.processes.living();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }

  async #runtimes(): Promise<Runtime[]> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const { environments } = await status({ state: this.#running.state, signal });
    const { runtimes = [] } = environments[0] ?? {};
    return runtimes.map(runtime => ({ ...runtime, pid: runtime.pid ?? 0 }));
  }

  async #attemptsOf({ address }: Runtime): Promise<number> {
    const response = await fetch(`${address}${OBSERVATION_PATH}`, {
      headers: { authorization: `Bearer ${this.#runtimeToken}` },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const { counts } = (await response.json()) as { counts: { attempts: number }[] };
    return counts[0]?.attempts ?? 0;
  }
}

async function seed(directory: string, local: Local): Promise<void> {
  const from = join(directory, 'folder');
  await makeModelFolder(from, { prod: environmentText(local) });
  await seedRepository({
    bare: join(directory, 'remote', 'models.git'),
    from,
    branch: BRANCH,
    message: 'One model, one environment',
    at: Date.now(),
    author: { name: 'Example', email: 'example@localhost' },
  });
}

async function inference({ status, state }: Running, runtimeToken: string) {
  const [row = []] = readRows(ROWS);
  const input = { name: 'features', datatype: 'FP32', shape: [1, row.length], data: row };
  return {
    address: status.environments[0]?.address ?? '',
    path: `/v2/models/${MODEL}/infer`,
    key: await secret(state, 'keys', 'prod'),
    body: JSON.stringify({ inputs: [input] }),
    runtimeToken,
  };
}

async function secret(state: string, ...name: string[]): Promise<string> {
  return (await readFile(join(state, ...name), 'utf8')).trim();
}

const environmentText = (local: Local): string => `apiVersion: switchback/v1alpha1
kind: Environment
target: { local: ${JSON.stringify(local)} }
mode: act
promotion: { by: person }
defaults:
  rollout: { bake: { for: 500ms, requests: 10 } }
`;
