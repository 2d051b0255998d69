import type {
  CommitSha,
  EnvironmentName,
  Event,
  InstanceId,
  RevisionId,
  RuntimeObservation,
  ServedBackend,
  ServingSnapshot,
} from '@switchback-ml/schemas';
import { ModelName } from '@switchback-ml/schemas';
import { type MemoryActuation, memoryActuation } from './actuation/memory/index.ts';
import type { Clock } from './clock.ts';
import { type ControlState, controlState } from './control-state.ts';
import { cycle } from './cycle.ts';
import { desired } from './desired/desired.ts';
import type { Ledger } from './ledger/ledger.ts';
import { memoryLedger } from './ledger/memory/index.ts';
import type { Log } from './log.ts';
import { type MemoryObservation, memoryObservation } from './observation/memory/index.ts';
import { OperationRunner } from './operation/runner.ts';
import { type MemoryRemote, memoryRemote, memoryRepository } from './repository/memory/index.ts';
import { RepositoryPoller } from './repository/poller.ts';
import type { Edits, Repository } from './repository/repository.ts';
import { Requests } from './requests.ts';
import type { World } from './world.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const FRAUD = ModelName.parse('fraud');
const AUTHOR = { name: 'Mei', email: 'mei@example.org' };

/**
 * The whole controller over in-memory adapters with a clock that the test holds. Time passes only by `pass`; a sleep
 * ends at once when it is a retry's and never when it is a poll's, so that nothing happens by itself.
 */
export class Loop implements AsyncDisposable {
  readonly remote: MemoryRemote = memoryRemote();
  readonly repository: Repository = memoryRepository({ remote: this.remote });
  readonly ledger: Ledger;
  readonly actuation: MemoryActuation = memoryActuation();
  readonly observation: MemoryObservation;
  readonly requests = new Requests(() => {});
  readonly watch: RepositoryPoller;
  readonly #runner: OperationRunner;
  readonly #world: World;
  readonly #counts = new Map<RevisionId, { attempts: number; good: number }>();
  state: ControlState;
  now = 1_760_000_000_000;
  /** What the runtime says it serves although the snapshot says otherwise; null: it says nothing of routes. */
  lagging: ServedBackend | null = null;

  private constructor(ledger: Ledger, state: ControlState, root: string) {
    this.ledger = ledger;
    this.state = state;
    const clock: Clock = { now: () => this.now, sleep: (_, signal) => restUntil(signal) };
    this.observation = memoryObservation({ clock });
    this.watch = new RepositoryPoller({
      repository: this.repository,
      branch: 'main',
      historyRef: 'refs/switchback/history',
      root,
      intervalMs: 1000,
      clock,
      log: silent,
      hintDirectory: null,
    });
    this.#world = {
      repository: this.watch,
      desired: view => desired({ ...view, commit: view.head as CommitSha }),
      actuation: this.actuation,
      observation: this.observation,
      ledger,
      requests: this.requests,
      keys: new Map(),
      clock,
      log: silent,
    };
    this.#runner = new OperationRunner({
      repository: this.repository,
      watch: this.watch,
      ledger,
      open: state.open,
      desired: () => this.state.desired,
      heard: () => this.observation.latest().heard,
      published: () => this.actuation.observe().published,
      epoch: () => 1,
      branch: 'main',
      root,
      historyRef: 'refs/switchback/history',
      author: { name: 'Switchback', email: 'switchback@localhost' },
      clock: { now: () => this.now, sleep: () => new Promise(resolve => setImmediate(resolve)) },
      log: silent,
    });
    this.watch.onChange(() => this.#runner.kick());
  }

  /** @param root folder that holds the model repository; `commit` takes paths from the top */
  static async open(root = ''): Promise<Loop> {
    const ledger = memoryLedger();
    await ledger.acquire('test', 1e9, 1_760_000_000_000);
    return new Loop(ledger, controlState(await ledger.read()), root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner[Symbol.asyncDispose]();
    await this.watch[Symbol.asyncDispose]();
  }

  /** A person's commit on the branch, seen by the poller before this resolves. */
  async commit(files: Record<string, string | null>, message = 'a change'): Promise<CommitSha> {
    const signal = AbortSignal.timeout(5000);
    const head = await this.repository.fetch('refs/heads/main', signal);
    const parent = head.kind === 'commit' ? head.commit : null;
    const edits: Edits = new Map(Object.entries(files));
    const commit = await this.repository.commit(
      { parent, edits, message: `${message}\n`, author: AUTHOR, at: this.now },
      signal,
    );
    await this.repository.push('refs/heads/main', parent, commit, signal);
    await this.seen(commit);
    return commit;
  }

  /** Waits until the poller has published the commit. */
  async seen(commit: CommitSha): Promise<void> {
    await until(() => {
      this.watch.nudge();
      return this.watch.latest()?.head === commit;
    });
  }

  /** Lets time pass, and the cycle look; as often as asked. */
  async pass(ms = 100, times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      this.now += ms;
      this.#report();
      await cycle(this.#world, this.state, 1, AbortSignal.timeout(5000));
      this.#runner.kick();
    }
  }

  /** What the published snapshot of prod gives whom, `{ '1.0.0': 100 }`. */
  weights(): Record<string, number> {
    const backends = this.snapshot()?.routes[FRAUD]?.backends ?? [];
    return Object.fromEntries(backends.map(({ version, weight }) => [version, weight]));
  }

  snapshot(): ServingSnapshot | undefined {
    return this.actuation.observe().published.get('prod' as EnvironmentName);
  }

  /** So many attempts of a version in prod, of which so many were bad by `available`. */
  serve(version: string, attempts: number, bad = 0): void {
    const backend = this.snapshot()?.routes[FRAUD]?.backends.find(one => one.version === version);
    if (!backend) throw new Error(`prod does not serve ${version}`);
    this.serveRevision(backend.revision, attempts, bad);
  }

  serveRevision(revision: RevisionId | undefined, attempts: number, bad = 0): void {
    if (revision === undefined) throw new Error('there is no such revision');
    const known = this.#counts.get(revision) ?? { attempts: 0, good: 0 };
    this.#counts.set(revision, { attempts: known.attempts + attempts, good: known.good + attempts - bad });
  }

  /** Subjects of the branch's first-parent commits, newest first. */
  async log(): Promise<string[]> {
    const signal = AbortSignal.timeout(5000);
    const head = await this.repository.fetch('refs/heads/main', signal);
    if (head.kind !== 'commit') return [];
    return (await this.repository.history(null, head.commit, signal)).map(({ subject }) => subject).reverse();
  }

  events(): Promise<Event[]> {
    return this.ledger.events({ limit: 500 });
  }

  #report(): void {
    const environment = 'prod' as EnvironmentName;
    const observation: RuntimeObservation = {
      instanceId: '00000000-0000-4000-8000-000000000001' as InstanceId,
      environment,
      pid: 1,
      startedAt: 1_759_999_999_000,
      at: this.now,
      snapshot: this.snapshot()?.generation ?? null,
      routes: this.lagging ? { [FRAUD]: { generation: 'old', backends: [this.lagging] } } : {},
      loaded: [],
      counts: [...this.#counts].map(([revision, { attempts, good }]) => ({
        model: FRAUD,
        revision,
        attempts,
        failures: attempts - good,
        nonFinite: 0,
        indicators: { available: { good, total: attempts } },
      })),
    };
    this.observation.say(environment, observation);
  }
}

/** Waits for what happens in other loops of this process; bounded, so that what never happens is told. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (await holds()) return;
    await new Promise(resolve => setImmediate(resolve));
  }
  throw new Error('waited in vain');
}

function restUntil(signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
