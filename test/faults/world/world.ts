import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { remoteServer, seedRepository, status } from '@switchback-ml/controller/command';
import type { Status } from '@switchback-ml/schemas';
import { readRows } from '../../../bench/replay/rows.ts';
import { BRANCH } from '../../../demo/place.ts';
import { MODEL } from '../../e2e/model-folder.fixture.ts';
import { Person } from '../../e2e/person.fixture.ts';
import { Processes } from '../../e2e/processes.fixture.ts';
import { openProxy, type RemoteProxy } from '../../e2e/proxy.fixture.ts';
import { troublingRows } from '../../e2e/rows.fixture.ts';
import { Chronicle, on } from './chronicle.ts';
import { Life } from './life.ts';
import { ENVIRONMENTS, makeFaultFolder, STABLE } from './model-folder.ts';
import { Services } from './service.ts';
import { mountSmallDisk } from './small-disk.ts';
import type { Template } from './template.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const PATIENCE_MS = 60_000;
const PER_SECOND: Readonly<Record<string, number>> = { staging: 40, prod: 120 };

/** `small disk`: its state directory has a file system of its own, with little room. */
export type Ground = 'plain' | 'small disk';

interface Parts {
  directory: string;
  remoteUrl: string;
  proxy: RemoteProxy;
  person: Person;
  stack: AsyncDisposableStack;
}

/** A Switchback in processes of its own behind a network that can break, clients, and a person with a clone. */
export class FaultWorld implements AsyncDisposable {
  readonly directory: string;
  readonly remoteUrl: string;
  readonly proxy: RemoteProxy;
  readonly person: Person;
  readonly processes: Processes;
  /** Everything that was printed. */
  readonly printed: string[] = [];
  /** The password of the remote, which nobody else may ever see. */
  readonly gitToken = randomBytes(24).toString('base64url');
  /** Heads that a person put others in place of. */
  readonly rewritten: string[] = [];
  readonly #stack: AsyncDisposableStack;
  #life: Life | null = null;
  #seen: { chronicle: Chronicle; services: Services } | null = null;

  private constructor({ directory, remoteUrl, proxy, person, stack }: Parts) {
    this.directory = directory;
    this.remoteUrl = remoteUrl;
    this.proxy = proxy;
    this.person = person;
    this.processes = new Processes(directory);
    this.#stack = stack;
  }

  /** With the good version baked everywhere, under traffic. */
  static async open(template: Template, ground: Ground = 'plain'): Promise<FaultWorld> {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'switchback-faults-'));
    const bare = join(directory, 'remote', 'models.git');
    await makeRemote(bare, join(directory, 'folder'), template);
    if (ground === 'small disk') stack.use(await mountSmallDisk(join(directory, 'state')));
    let world: FaultWorld | null = null;
    const onPush = (): void => void world?.nudge();
    const remote = stack.use(await remoteServer({ directory: join(directory, 'remote'), onPush }));
    const proxy = stack.use(await openProxy(remote.address.port));
    const person = await Person.clone(remote.url('models'), join(directory, 'person'));
    const owned = { directory, remoteUrl: remote.url('models'), proxy, person, stack: stack.move() };
    world = new FaultWorld(owned);
    try {
      await world.up();
      await world.#observe();
      await world.#calm();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How often `up` has started the controller again. */
  get deaths(): number {
    return this.printed.join('').split('is started again').length - 1;
  }

  get state(): string {
    return join(this.directory, 'state');
  }

  get bare(): string {
    return join(this.directory, 'remote', 'models.git');
  }

  /** Naming a place in it makes the controller strike there. */
  get failpointFile(): string {
    return join(this.directory, 'failpoint');
  }

  get life(): Life {
    if (!this.#life) throw new Error('nothing runs in this world');
    return this.#life;
  }

  get chronicle(): Chronicle {
    return this.#observed.chronicle;
  }

  get services(): Services {
    return this.#observed.services;
  }

  /** Starts `up`, with the controller behind the proxy. */
  async up(): Promise<void> {
    await this.spawnUp().isUp();
  }

  /** For one that may not come up. */
  spawnUp(): Life {
    this.#life = new Life({
      repo: this.remoteUrl.replace(/:\d+\//, `:${this.proxy.port}/`),
      // Weights come past the proxy: a remote names its own address for them, and no other is followed.
      lfs: `${this.remoteUrl}/info/lfs`,
      state: this.state,
      environment: { SWITCHBACK_FAILPOINT_FILE: this.failpointFile, SWITCHBACK_GIT_TOKEN: this.gitToken },
      onOutput: text => this.printed.push(text),
    });
    return this.#life;
  }

  status(): Promise<Status> {
    return status({ state: this.state, signal: AbortSignal.timeout(5000) });
  }

  /** The controller that lives now, or the next one where it is being started again. */
  async controller(): Promise<number> {
    let pid = 0;
    await until(PATIENCE_MS, async () => {
      pid = (await this.processes.childrenOf(this.life.pid))[0]?.pid ?? 0;
      return pid !== 0;
    });
    if (pid === 0) throw new Error('up has started no controller');
    return pid;
  }

  async front(environment: string): Promise<number> {
    const text = await readFile(join(this.state, 'runtimes', environment, 'process.json'), 'utf8');
    const { process: found } = JSON.parse(text) as { process: { identity: { pid: number } } };
    return found.identity.pid;
  }

  secret(...name: string[]): Promise<string> {
    return readFile(join(this.state, ...name), 'utf8').then(text => text.trim());
  }

  /** git in the bare repository, past everything. */
  async git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', ['--git-dir', this.bare, ...args], { maxBuffer: 64 * 2 ** 20 });
    return stdout;
  }

  /** A hint is allowed to get lost. */
  async nudge(): Promise<void> {
    try {
      const { address } = JSON.parse(await readFile(join(this.state, 'controller.json'), 'utf8'));
      await fetch(`${address}/api/v1alpha1/nudge`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await this.secret('operator-token')}` },
        signal: AbortSignal.timeout(2000),
      });
    } catch {}
  }

  /** Ends everything in order, and by force what is left. Its folder stays: whoever has no use for it removes it. */
  async stop(): Promise<void> {
    const seen = this.#seen;
    this.#seen = null;
    await seen?.services[Symbol.asyncDispose]();
    await seen?.chronicle[Symbol.asyncDispose]();
    await this.#life?.stop().catch(() => {});
    this.processes.kill(...(await this.processes.living()).map(({ pid }) => pid));
    await this.#stack.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  get #observed(): { chronicle: Chronicle; services: Services } {
    if (!this.#seen) throw new Error('nobody looks at this world');
    return this.#seen;
  }

  async #calm(): Promise<void> {
    for (const environment of Object.keys(ENVIRONMENTS))
      await this.chronicle.event('bake', on(environment, 'rollout.baked', STABLE), PATIENCE_MS);
    const isCalm = async (): Promise<boolean> => (await this.status()).operations.length === 0;
    if (!(await until(PATIENCE_MS, isCalm))) throw new Error('the world does not come to rest');
  }

  async #observe(): Promise<void> {
    const { address, environments } = await this.status();
    const chronicle = new Chronicle({ address, token: await this.secret('operator-token') });
    const runtimeToken = await this.secret('runtime-token');
    const rows = {
      prod: troublingRows(),
      staging: readRows(join(root, 'examples/rows/everyday.csv')),
    };
    const services = environments.map(async ({ name, address: at }) => ({
      environment: name as string,
      address: at ?? '',
      key: await this.secret('keys', name),
      runtimeToken,
      rows: name === 'prod' ? rows.prod : rows.staging,
      perSecond: PER_SECOND[name] ?? 10,
    }));
    this.#seen = { chronicle, services: new Services(await Promise.all(services)) };
  }
}

/** Remembers where each ref ever stood, so that a move that was taken back is seen too. */
async function makeRemote(bare: string, from: string, template: Template): Promise<void> {
  await mkdir(from, { recursive: true });
  await makeFaultFolder(from, template);
  const author = { name: 'Example', email: 'example@localhost' };
  const message = `${MODEL} in two environments`;
  await seedRepository({ bare, from, branch: BRANCH, message, at: Date.now(), author });
  await run('git', ['--git-dir', bare, 'config', 'core.logAllRefUpdates', 'always']);
}
