import type { CommitSha } from '@switchback-ml/schemas';
import type { Clock } from './clock.ts';
import { type ControlState, controlState } from './control-state.ts';
import { cycle } from './cycle.ts';
import { desired } from './desired/desired.ts';
import { failingActuation } from './failpoint/failing-actuation.ts';
import { failingLedger } from './failpoint/failing-ledger.ts';
import { failingRepository } from './failpoint/failing-repository.ts';
import type { Failpoint } from './failpoint/failpoint.ts';
import type { Lease, LedgerView } from './ledger/ledger.ts';
import type { Log } from './log.ts';
import type { Loop } from './loop.fixture.ts';
import { OperationRunner } from './operation/runner.ts';
import { memoryRepository } from './repository/memory/index.ts';
import { RepositoryPoller } from './repository/poller.ts';
import type { Repository } from './repository/repository.ts';
import { Requests } from './requests.ts';
import type { World } from './world.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const HISTORY_REF = 'refs/switchback/history';

/** The parts that a controller's process makes for itself, and that are gone when it ends. */
export class Life implements AsyncDisposable {
  readonly repository: Repository;
  readonly watch: RepositoryPoller;
  readonly state: ControlState;
  readonly epoch: number;
  readonly requests = new Requests(() => {});
  readonly #runner: OperationRunner;
  readonly #world: World;
  readonly #stalled = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();
  /** Nothing more is done to the world. */
  isOver = false;
  isStalled = false;

  constructor(loop: Loop, { lease, view, root }: { lease: Lease; view: LedgerView; root: string }) {
    this.epoch = lease.epoch;
    const reach: Failpoint = async place => {
      if (!this.isOver) await loop.failpoint(place, this);
      if (this.isOver) throw new Error('this life is over');
    };
    const ledger = failingLedger(loop.ledger, reach);
    const actuation = failingActuation(loop.actuation, reach);
    this.repository = failingRepository(memoryRepository({ remote: loop.remote }), reach, HISTORY_REF);
    this.state = controlState(view);
    const clock: Clock = { now: () => loop.now, sleep: (_, signal) => restUntil(signal) };
    this.watch = new RepositoryPoller({
      repository: this.repository,
      branch: 'main',
      historyRef: HISTORY_REF,
      root,
      intervalMs: 1000,
      clock,
      log: silent,
      hintDirectory: null,
    });
    this.#world = {
      repository: this.watch,
      desired: view => desired({ ...view, commit: view.head as CommitSha }),
      actuation,
      observation: loop.observation,
      ledger,
      requests: this.requests,
      artifactFailures: () => new Map(),
      keys: new Map(),
      clock,
      log: silent,
    };
    this.#runner = new OperationRunner({
      repository: this.repository,
      watch: this.watch,
      ledger,
      open: this.state.open,
      desired: () => this.state.desired,
      heard: () => loop.observation.latest().heard,
      published: () => loop.actuation.observe().published,
      epoch: () => this.epoch,
      branch: 'main',
      root,
      historyRef: HISTORY_REF,
      author: { name: 'Switchback', email: 'switchback@localhost' },
      clock: { now: () => loop.now, sleep: () => new Promise(resolve => setImmediate(resolve)) },
      log: silent,
    });
    this.watch.onChange(() => this.#runner.kick());
  }

  /** One pass; ends early where the life stalls in it. */
  async cycle(): Promise<void> {
    const pass = cycle(this.#world, this.state, this.epoch, AbortSignal.timeout(5000));
    const ended = pass.then(
      () => {},
      (error: unknown) => {
        if (!this.isOver && !this.isStalled) throw error;
      },
    );
    await Promise.race([ended, this.#stalled.promise]);
    this.#runner.kick();
  }

  /** For a failpoint to wait for: as a stopped process, it does nothing until it is released. */
  stall(): Promise<void> {
    this.isStalled = true;
    this.#stalled.resolve();
    return this.#released.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner[Symbol.asyncDispose]();
    await this.watch[Symbol.asyncDispose]();
  }
}

/** Ends when the sleeper is not wanted any more, and never by itself. */
export function restUntil(signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
