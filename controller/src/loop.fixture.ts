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
import type { ControlState } from './control-state.ts';
import type { Place } from './failpoint/failpoint.ts';
import type { Ledger } from './ledger/ledger.ts';
import { memoryLedger } from './ledger/memory/index.ts';
import { Life, restUntil } from './life.fixture.ts';
import { type MemoryObservation, memoryObservation } from './observation/memory/index.ts';
import { type MemoryRemote, memoryRemote, memoryRepository } from './repository/memory/index.ts';
import type { RepositoryPoller } from './repository/poller.ts';
import type { Edits, Repository } from './repository/repository.ts';
import type { Requests } from './requests.ts';

export const LEASE_MS = 15_000;
const FRAUD = ModelName.parse('fraud');
const WAIT_MS = 20_000;
const UNBORN = '00000001' as InstanceId;
const AUTHOR = { name: 'Mei', email: 'mei@example.org' };

/**
 * The whole controller over in-memory adapters with a clock that the test holds. Time passes only by `pass`; a sleep
 * ends at once when it is a retry's and never when it is a poll's, so that nothing happens by itself.
 */
export class Loop implements AsyncDisposable {
  readonly remote: MemoryRemote = memoryRemote();
  readonly ledger: Ledger = memoryLedger();
  readonly actuation: MemoryActuation = memoryActuation();
  readonly observation: MemoryObservation;
  readonly #root: string;
  readonly #person: Repository;
  readonly #counts = new Map<string, Map<RevisionId, { attempts: number; good: number }>>();
  #life!: Life;
  /** Who leads, by its own name. */
  holder = '';
  now = 1_760_000_000_000;
  /** What the runtime says it serves although the snapshot says otherwise; null: what the snapshot says. */
  lagging: ServedBackend | null = null;
  /** Called at each place that a life comes to; nothing, unless a test wants something there. */
  failpoint: (place: Place, life: Life) => void | Promise<void> = () => {};

  private constructor(root: string) {
    this.#root = root;
    this.#person = memoryRepository({ remote: this.remote });
    const clock: Clock = { now: () => this.now, sleep: (_, signal) => restUntil(signal) };
    this.observation = memoryObservation({ clock });
  }

  /** @param root folder that holds the model repository; `commit` takes paths from the top */
  static async open(root = ''): Promise<Loop> {
    const loop = new Loop(root);
    await loop.live('first');
    return loop;
  }

  /** A controller begins to live with what the ledger has; another that lives is left to itself. */
  async live(holder: string): Promise<Life> {
    const acquired = await this.ledger.acquire(holder, LEASE_MS, this.now);
    if (acquired.kind !== 'acquired') throw new Error(`${acquired.by.holder} leads`);
    this.holder = holder;
    const view = await this.ledger.read();
    this.#life = new Life(this, { lease: acquired.lease, view, root: this.#root });
    return this.#life;
  }

  get life(): Life {
    return this.#life;
  }

  get state(): ControlState {
    return this.#life.state;
  }

  get watch(): RepositoryPoller {
    return this.#life.watch;
  }

  get repository(): Repository {
    return this.#person;
  }

  get requests(): Requests {
    return this.#life.requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#life[Symbol.asyncDispose]();
  }

  /** A person's commit on the branch, seen by the poller before this resolves. */
  async commit(files: Record<string, string | null>, message = 'a change'): Promise<CommitSha> {
    const commit = await this.push(files, message);
    await this.seen(commit);
    return commit;
  }

  /** A person's commit on the branch. */
  async push(files: Record<string, string | null>, message: string): Promise<CommitSha> {
    const signal = AbortSignal.timeout(5000);
    const head = await this.repository.fetch('refs/heads/main', signal);
    const parent = head.kind === 'commit' ? head.commit : null;
    const edits: Edits = new Map(Object.entries(files));
    const commit = await this.repository.commit(
      { parent, edits, message: `${message}\n`, author: AUTHOR, at: this.now },
      signal,
    );
    await this.repository.push('refs/heads/main', parent, commit, signal);
    return commit;
  }

  /** A force-push: the same tree with other files, as a new beginning. */
  async rewrite(files: Record<string, string>, message: string): Promise<CommitSha> {
    const signal = AbortSignal.timeout(5000);
    const edits = new Map(Object.entries(files));
    const commit = await this.repository.commit(
      { parent: null, edits, message, author: AUTHOR, at: this.now },
      signal,
    );
    this.remote.refs.set('refs/heads/main', commit);
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
      this.#reports();
      await this.#life.cycle();
    }
  }

  /** What the published snapshot gives whom, `{ '1.0.0': 100 }`. */
  weights(environment = 'prod'): Record<string, number> {
    const backends = this.snapshot(environment)?.routes[FRAUD]?.backends ?? [];
    return Object.fromEntries(backends.map(({ version, weight }) => [version, weight]));
  }

  snapshot(environment = 'prod'): ServingSnapshot | undefined {
    return this.actuation.observe().published.get(environment as EnvironmentName);
  }

  /** So many attempts of a version there, of which so many were bad by `available`. */
  serve(version: string, attempts: number, bad = 0, environment = 'prod'): void {
    const backend = this.snapshot(environment)?.routes[FRAUD]?.backends.find(one => one.version === version);
    if (!backend) throw new Error(`${environment} does not serve ${version}`);
    this.serveRevision(backend.revision, attempts, bad, environment);
  }

  serveRevision(revision: RevisionId | undefined, attempts: number, bad = 0, environment = 'prod'): void {
    if (revision === undefined) throw new Error('there is no such revision');
    const counts = this.#counts.get(environment) ?? new Map<RevisionId, { attempts: number; good: number }>();
    const known = counts.get(revision) ?? { attempts: 0, good: 0 };
    counts.set(revision, { attempts: known.attempts + attempts, good: known.good + attempts - bad });
    this.#counts.set(environment, counts);
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

  /** Counts are taken from when a runtime first spoke; prod's does so before anything is asked of it. */
  #reports(): void {
    const { published } = this.actuation.observe();
    for (const environment of new Set([...published.keys(), 'prod']))
      this.#report(environment as EnvironmentName);
  }

  #routes(environment: EnvironmentName): RuntimeObservation['routes'] {
    if (this.lagging) return { [FRAUD]: { generation: 'old', backends: [this.lagging] } };
    const snapshot = this.snapshot(environment);
    const route = snapshot?.routes[FRAUD];
    return snapshot && route
      ? { [FRAUD]: { generation: snapshot.generation, backends: route.backends } }
      : {};
  }

  #report(environment: EnvironmentName): void {
    const running = this.actuation.observe().runtimes.find(runtime => runtime.environment === environment);
    const observation: RuntimeObservation = {
      instanceId: running?.instanceId ?? UNBORN,
      environment,
      pid: 1,
      startedAt: 1_759_999_999_000,
      at: this.now,
      snapshot: this.snapshot(environment)?.generation ?? null,
      routes: this.#routes(environment),
      loaded: (this.snapshot(environment)?.routes[FRAUD]?.backends ?? []).map(
        ({ revision, version, digest }) => ({
          ...{ model: FRAUD, revision, version, digest },
          ...{ state: 'ready' as const, since: this.now },
        }),
      ),
      counts: [...(this.#counts.get(environment) ?? [])].map(([revision, { attempts, good }]) => ({
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
  // Hashing and packing run on threads of their own, which a busy machine may keep waiting.
  const until = Date.now() + WAIT_MS;
  while (Date.now() < until) {
    if (await holds()) return;
    await new Promise(resolve => setImmediate(resolve));
  }
  throw new Error('waited in vain');
}
