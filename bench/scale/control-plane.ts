import { join } from 'node:path';
import type { CommitSha } from '@switchback-ml/schemas';
import { type MemoryActuation, memoryActuation } from '../../controller/src/actuation/memory/index.ts';
import { systemClock as clock } from '../../controller/src/clock.ts';
import { type ControlState, controlState } from '../../controller/src/control-state.ts';
import { cycle } from '../../controller/src/cycle.ts';
import { desired } from '../../controller/src/desired/desired.ts';
import type { Memory } from '../../controller/src/desired/memory.ts';
import { sqliteLedger } from '../../controller/src/ledger/sqlite/index.ts';
import type { Log } from '../../controller/src/log.ts';
import { memoryObservation } from '../../controller/src/observation/memory/index.ts';
import { gitRepository } from '../../controller/src/repository/git-cli/index.ts';
import { RepositoryPoller } from '../../controller/src/repository/poller.ts';
import { Requests } from '../../controller/src/requests.ts';
import type { World } from '../../controller/src/world.ts';
import { BRANCH } from './generate.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const NEVER = new AbortController().signal;
const LEASE_MS = 24 * 60 * 60_000;

/**
 * The control plane of one repository in this process: real git, a real ledger, and runtimes that only seem to run,
 * since what is measured is what it costs to decide.
 */
export class ControlPlane implements AsyncDisposable {
  readonly #parts: AsyncDisposableStack;
  readonly #world: World;
  readonly #watch: RepositoryPoller;
  readonly #actuation: MemoryActuation;
  readonly #epoch: number;
  readonly state: ControlState;

  private constructor(
    parts: AsyncDisposableStack,
    world: World,
    own: { watch: RepositoryPoller; actuation: MemoryActuation; epoch: number; state: ControlState },
  ) {
    this.#parts = parts;
    this.#world = world;
    this.#watch = own.watch;
    this.#actuation = own.actuation;
    this.#epoch = own.epoch;
    this.state = own.state;
  }

  /** Opens what a state directory holds, or an empty one. */
  static async open(bare: string, directory: string): Promise<ControlPlane> {
    await using parts = new AsyncDisposableStack();
    const ledger = parts.use(sqliteLedger({ file: join(directory, 'ledger.db') }));
    const acquired = await ledger.acquire('bench', LEASE_MS, clock.now());
    if (acquired.kind !== 'acquired') throw new Error('the lease is held');
    const repository = parts.use(
      await gitRepository({ url: bare, directory: join(directory, 'repository'), allowFile: true }),
    );
    const watch = parts.use(
      new RepositoryPoller({
        repository,
        branch: BRANCH,
        historyRef: 'refs/switchback/history',
        root: '',
        intervalMs: 60_000,
        clock,
        log: silent,
        hintDirectory: null,
      }),
    );
    const actuation = parts.use(memoryActuation());
    const memory: Memory = new Map();
    const world: World = {
      repository: watch,
      desired: view => desired({ ...view, commit: view.head as CommitSha }, memory),
      actuation,
      observation: parts.use(memoryObservation({ clock })),
      ledger,
      requests: new Requests(() => {}),
      artifactFailures: () => new Map(),
      keys: new Map(),
      clock,
      log: silent,
    };
    const state = controlState(await ledger.read());
    const own = { watch, actuation, epoch: acquired.lease.epoch, state };
    return new ControlPlane(parts.move(), world, own);
  }

  /** Nudges the poller and waits until it has published a head other than `before`. */
  async see(before: string | null): Promise<string> {
    const seen = Promise.withResolvers<void>();
    this.#watch.onChange(() => {
      if ((this.#watch.latest()?.head ?? null) !== before) seen.resolve();
    });
    this.#watch.nudge();
    if ((this.#watch.latest()?.head ?? null) === before) await seen.promise;
    return this.#watch.latest()?.head ?? '';
  }

  async pass(): Promise<void> {
    const outcome = await cycle(this.#world, this.state, this.#epoch, NEVER);
    if (outcome.kind !== 'done') throw new Error(`a pass ended ${outcome.kind}`);
  }

  /** How many routes the published snapshots have, over all environments. */
  routes(): number {
    const snapshots = [...this.#actuation.observe().published.values()];
    return snapshots.reduce((sum, { routes }) => sum + Object.keys(routes).length, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}
