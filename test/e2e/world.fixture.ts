import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { register, remoteServer, seedRepository, status } from '@switchback-ml/controller/command';
import { ModelName, OBSERVATION_PATH, type Status, VersionLabel } from '@switchback-ml/schemas';
import { readRows } from '../../bench/replay/rows.ts';
import { GitWatch } from '../../demo/observer/git-watch.ts';
import { Observer } from '../../demo/observer/observer.ts';
import { BRANCH } from '../../demo/place.ts';
import { MODEL, makeModelFolder } from './model-folder.fixture.ts';
import { Person } from './person.fixture.ts';
import { Processes, type SeenProcess } from './processes.fixture.ts';
import { openProxy, type RemoteProxy } from './proxy.fixture.ts';
import { troublingRows } from './rows.fixture.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(root, 'controller/src/cli/main.ts');
const UP_WITHIN_MS = 90_000;
const DOWN_WITHIN_MS = 40_000;
const PER_SECOND: Readonly<Record<string, number>> = { dev: 50, staging: 50, prod: 150 };

export type EnvironmentLabel = 'dev' | 'staging' | 'prod';

/** A Switchback in processes of its own on a remote of its own, and people around it. */
export class World implements AsyncDisposable {
  readonly directory: string;
  readonly processes: Processes;
  readonly proxy: RemoteProxy;
  readonly person: Person;
  readonly #remoteUrl: string;
  readonly #parts: AsyncDisposableStack;
  #lives = 0;
  #life: Life | null = null;

  private constructor(
    directory: string,
    remoteUrl: string,
    proxy: RemoteProxy,
    person: Person,
    parts: AsyncDisposableStack,
  ) {
    this.directory = directory;
    this.processes = new Processes(directory);
    this.#remoteUrl = remoteUrl;
    this.proxy = proxy;
    this.person = person;
    this.#parts = parts;
  }

  /** With 1.0.0 baked everywhere, under traffic. */
  static async open(): Promise<World> {
    await using parts = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'switchback-e2e-'));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    const from = join(directory, 'folder');
    await makeModelFolder(from);
    await seedRepository({
      bare: join(directory, 'remote', 'models.git'),
      from,
      branch: BRANCH,
      message: 'One model, three environments',
      at: Date.now(),
      author: { name: 'Example', email: 'example@localhost' },
    });
    let world: World | null = null;
    const onPush = (): void => void world?.nudge();
    const remote = parts.use(await remoteServer({ directory: join(directory, 'remote'), onPush }));
    const proxy = parts.use(await openProxy(remote.address.port));
    const person = await Person.clone(remote.url('models'), join(directory, 'person'));
    world = new World(directory, remote.url('models'), proxy, person, parts.move());
    try {
      await world.up();
      await world.observer.event('1.0.0 baked in prod', on('prod', 'rollout.baked', '1.0.0'), PATIENCE_MS);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get life(): Life {
    if (!this.#life) throw new Error('nothing runs in this world');
    return this.#life;
  }

  get observer(): Observer {
    return this.life.observer;
  }

  /** A hint to whatever runs now. */
  async nudge(): Promise<void> {
    await this.#life?.nudge();
  }

  get state(): string {
    return join(this.directory, 'state');
  }

  /** Starts it all, with the controller behind the proxy, and an observer that looks past it. */
  async up(): Promise<void> {
    const life = ++this.#lives;
    const url = this.#remoteUrl.replace(/:\d+\//, `:${this.proxy.port}/`);
    const git = await GitWatch.clone(this.#remoteUrl, join(this.directory, `observer-${life}`), BRANCH);
    // Weights come past it: a remote names its own address for them, and no other is followed.
    const lfs = `${this.#remoteUrl}/info/lfs`;
    this.#life = await Life.start({ url, lfs }, this.state, git);
  }

  /** Kills whatever lives, and forgets everything that was not in git. */
  async forget(): Promise<void> {
    const { life } = this;
    this.#life = null;
    const living = await this.processes.living();
    // From the top, so that nobody is there to start another.
    this.processes.kill(life.pid, ...living.map(({ pid }) => pid));
    await life.over();
    await gone(this.processes);
    await rm(this.state, { recursive: true });
  }

  /** The one that lives now, or the next one where it is being started again. */
  async controller(): Promise<number> {
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until) {
      const [controller] = await this.processes.childrenOf(this.life.pid);
      if (controller) return controller.pid;
    }
    throw new Error('up has started no controller');
  }

  async register(candidate: string, version: string, tolerance?: number): Promise<void> {
    const folder = join(root, 'examples/candidates', candidate);
    const request = {
      file: join(folder, 'model.onnx'),
      model: ModelName.parse(MODEL),
      folder: MODEL,
      version: VersionLabel.parse(version),
      samples: join(folder, 'samples.csv'),
      rows: 'public' as const,
      facts: { facts: join(folder, 'facts.json') },
      tolerance,
    };
    const environment = { ...process.env, GIT_AUTHOR_NAME: 'Mei', GIT_AUTHOR_EMAIL: 'mei@localhost' };
    const signal = AbortSignal.timeout(60_000);
    const state = join(this.directory, 'author');
    await register(request, { repo: this.#remoteUrl, state, directory: this.directory, environment, signal });
  }

  /** Ends everything in order; whatever is left over is told, and killed. */
  async stop(): Promise<SeenProcess[]> {
    await this.processes.living();
    const life = this.#life;
    this.#life = null;
    await life?.stop();
    const left = await this.processes.living();
    this.processes.kill(...left.map(({ pid }) => pid));
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#parts.disposeAsync();
  }
}

/** One life of it, from `up` to its end. */
export class Life {
  readonly pid: number;
  readonly observer: Observer;
  readonly #state: string;
  readonly #child: ChildProcess;
  readonly #address: string;
  readonly #token: string;

  private constructor(
    child: ChildProcess,
    state: string,
    api: { address: string; token: string },
    observer: Observer,
  ) {
    this.pid = child.pid!;
    this.#child = child;
    this.#state = state;
    this.#address = api.address;
    this.#token = api.token;
    this.observer = observer;
  }

  static async start(remote: { url: string; lfs: string }, state: string, git: GitWatch): Promise<Life> {
    const { url, lfs } = remote;
    const options = ['--repo', url, '--lfs', lfs, '--state', state];
    const child = spawn(process.execPath, [CLI, 'up', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      await said(child, 'switchback is up', UP_WITHIN_MS);
    } catch (error) {
      child.kill('SIGTERM');
      throw error;
    }
    const now = await status({ state });
    const secret = async (...name: string[]): Promise<string> =>
      (await readFile(join(state, ...name), 'utf8')).trim();
    const rows = {
      prod: troublingRows(),
      other: readRows(join(root, 'examples/rows/everyday.csv')),
    };
    const services = await Promise.all(
      now.environments.map(async ({ name, address }) => ({
        environment: name as string,
        address: address ?? '',
        key: await secret('keys', name),
        model: MODEL,
        input: 'features',
        rows: name === 'prod' ? rows.prod : rows.other,
        perSecond: PER_SECOND[name] ?? 10,
      })),
    );
    const api = { address: now.address, token: await secret('operator-token') };
    return new Life(child, state, api, new Observer(git, services, api));
  }

  status(): Promise<Status> {
    return status({ state: this.#state, signal: AbortSignal.timeout(5000) });
  }

  async front(environment: EnvironmentLabel): Promise<number> {
    const file = join(this.#state, 'runtimes', environment, 'process.json');
    const { process: found } = JSON.parse(await readFile(file, 'utf8')) as {
      process: { identity: { pid: number } };
    };
    return found.identity.pid;
  }

  /** Of a version that answers there; null while it has none. */
  async engine(environment: EnvironmentLabel, version: string): Promise<number | null> {
    const { environments } = await this.status();
    const address = environments.find(({ name }) => name === environment)?.address;
    const token = (await readFile(join(this.#state, 'runtime-token'), 'utf8')).trim();
    const response = await fetch(`${address}${OBSERVATION_PATH}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5000),
    });
    const { loaded } = (await response.json()) as { loaded: { version: string; pid?: number }[] };
    return loaded.find(each => each.version === version)?.pid ?? null;
  }

  /** A hint is allowed to get lost. */
  async nudge(): Promise<void> {
    try {
      await fetch(`${this.#address}/api/v1alpha1/nudge`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.timeout(2000),
      });
    } catch {}
  }

  /** Once its `up` has ended, however. */
  async over(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await once(this.#child, 'exit', { signal: AbortSignal.timeout(DOWN_WITHIN_MS) });
    await this.observer.stop();
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.over();
  }
}

export const PATIENCE_MS = 60_000;

/** Whether an event is of this type and tells of this version there. */
export const on =
  (environment: EnvironmentLabel, type: string, version?: string) =>
  (event: { type: string; subject: string; data: Record<string, unknown> }): boolean =>
    event.type === type &&
    event.subject === `${environment}/${MODEL}` &&
    (version === undefined || event.data['version'] === version);

function said(child: ChildProcess, words: string, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const failed = (how: string): void => {
      clearTimeout(timer);
      reject(new Error(`up ${how}: ${text.slice(-2000)}`));
    };
    const timer = setTimeout(
      () => failed(`said nothing of "${words}" within ${withinMs / 1000} s`),
      withinMs,
    );
    child.once('exit', code => failed(`ended with ${code}`));
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', chunk => {
        text += String(chunk);
        if (!text.includes(words)) return;
        clearTimeout(timer);
        resolve();
      });
  });
}

/** A killed process is gone when the system says so, not when the signal was sent. */
async function gone(processes: Processes): Promise<void> {
  const until = Date.now() + 10_000;
  for (;;) {
    const living = await processes.living();
    if (living.length === 0) return;
    if (Date.now() > until) throw new Error(`still alive: ${living.map(({ words }) => words).join('; ')}`);
    processes.kill(...living.map(({ pid }) => pid));
  }
}
