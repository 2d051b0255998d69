import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedRepository, status } from '@switchback-ml/controller/command';
import { OBSERVATION_PATH, RuntimeObservation, type Status } from '@switchback-ml/schemas';
import { BRANCH } from '../../demo/place.ts';
import { Processes } from '../e2e/processes.fixture.ts';
import { Life } from '../faults/world/life.ts';
import { EXAMPLES } from './example.ts';
import { Remote } from './remote.ts';

const WORD_WITHIN_MS = 5000;
/** So many rollbacks as a soak makes, no real repository would want: the example has a person look before the fifth. */
const ATMOST = 'rollback: { write: push-else-pull-request, atMost: 999 per 1h }';

/** The example repository in processes of its own: its remote, `up`, a controller, fronts and engines. */
export class SoakPlace {
  readonly directory: string;
  readonly processes: Processes;
  readonly remote: Remote;
  readonly life: Life;

  private constructor(directory: string, processes: Processes, remote: Remote, life: Life) {
    this.directory = directory;
    this.processes = processes;
    this.remote = remote;
    this.life = life;
  }

  /** Resolves when everything serves. */
  static async open(): Promise<SoakPlace> {
    const directory = await mkdtemp(join(tmpdir(), 'switchback-soak-'));
    const processes = new Processes(directory);
    await using opened = new AsyncDisposableStack();
    opened.defer(() => rm(directory, { recursive: true, force: true }));
    await seed(directory);
    let place: SoakPlace | null = null;
    const remote = opened.use(await Remote.open(join(directory, 'remote'), () => void place?.nudge()));
    const { url: repo } = remote;
    const state = join(directory, 'state');
    const life = new Life({ repo, lfs: `${repo}/info/lfs`, state, environment: {}, onOutput: () => {} });
    opened.defer(() => life.stop());
    await life.isUp();
    place = new SoakPlace(directory, processes, remote, life);
    opened.move();
    return place;
  }

  get state(): string {
    return join(this.directory, 'state');
  }

  get bare(): string {
    return join(this.directory, 'remote', 'models.git');
  }

  status(): Promise<Status> {
    return status({ state: this.state, signal: AbortSignal.timeout(WORD_WITHIN_MS) });
  }

  /** The controller that lives now; null while it is being started again. */
  async controller(): Promise<number | null> {
    const [controller] = await this.processes.childrenOf(this.life.pid);
    return controller?.pid ?? null;
  }

  /** The pid that the controller remembers. */
  async front(environment: string): Promise<number | null> {
    const file = join(this.state, 'runtimes', environment, 'process.json');
    const { process: found } = JSON.parse(await readFile(file, 'utf8')) as {
      process: { identity: { pid: number } | null } | null;
    };
    return found?.identity?.pid ?? null;
  }

  /** What the runtime at an address says of itself. */
  async word(address: string): Promise<RuntimeObservation> {
    const response = await fetch(`${address}${OBSERVATION_PATH}`, {
      headers: { authorization: `Bearer ${await this.secret('runtime-token')}` },
      signal: AbortSignal.timeout(WORD_WITHIN_MS),
    });
    return RuntimeObservation.parse(await response.json());
  }

  async secret(...name: string[]): Promise<string> {
    return (await readFile(join(this.state, ...name), 'utf8')).trim();
  }

  /** A hint is allowed to get lost. */
  async nudge(): Promise<void> {
    try {
      const { address } = JSON.parse(await this.secret('controller.json')) as { address: string };
      await fetch(`${address}/api/v1alpha1/nudge`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await this.secret('operator-token')}` },
        signal: AbortSignal.timeout(WORD_WITHIN_MS),
      });
    } catch {}
  }

  /** Ends everything in order. Its folder stays: it may hold evidence. */
  async stop(): Promise<void> {
    try {
      await this.life.stop();
    } finally {
      await this.remote.stop();
    }
  }
}

async function seed(directory: string): Promise<void> {
  const from = join(directory, 'folder');
  await mkdir(from);
  await cp(join(EXAMPLES, 'model-repo'), from, { recursive: true });
  for (const name of ['dev', 'prod']) {
    const file = join(from, 'environments', name, 'environment.yaml');
    const kept = (await readFile(file, 'utf8')).replace(/^rollback:.*\n/m, '');
    await writeFile(file, `${kept}${ATMOST}\n`);
  }
  await seedRepository({
    bare: join(directory, 'remote', 'models.git'),
    from,
    branch: BRANCH,
    message: 'Five models, three environments',
    at: Date.now(),
    author: { name: 'Example', email: 'example@localhost' },
  });
}
