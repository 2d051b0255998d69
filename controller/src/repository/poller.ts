import { watch } from 'node:fs';
import { join } from 'node:path';
import type { Instant } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import { messageOf, SwitchbackError } from '../error.ts';
import type { Log } from '../log.ts';
import { advance, advanceRecords } from './advance.ts';
import { NO_HISTORY } from './history.ts';
import type { CommitMemory, CommitSource } from './repository.ts';
import type { RepositoryView, RepositoryWatch } from './view.ts';

export interface PollerSettings {
  repository: CommitSource & CommitMemory;
  /** Folder of the git repository that holds the model repository; empty: its top. */
  root: string;
  branch: string;
  historyRef: string;
  intervalMs: number;
  clock: Clock;
  log: Log;
  /** A bare repository on this machine, whose refs are watched as a hint. */
  hintDirectory: string | null;
}

const LONGEST_BACK_OFF_MS = 10_000;

/**
 * Publishes the repository as last seen, with its age. Work is proportional to the change: only changed blobs are
 * read. Nobody waits for it; a remote that is away leaves the last view standing.
 */
export class RepositoryPoller implements RepositoryWatch, AsyncDisposable {
  readonly #settings: PollerSettings;
  readonly #stop = new AbortController();
  readonly #listeners: (() => void)[] = [];
  readonly #loop: Promise<void>;
  #wake = new AbortController();
  #isNudged = false;
  #view: RepositoryView | null = null;
  /** The view is what an earlier life fetched, and the remote may have gone anywhere since. */
  #isRecalled = false;
  #reachedAt: Instant | null = null;
  #failure: { code: string; message: string } | null = null;
  #failures = 0;

  constructor(settings: PollerSettings) {
    this.#settings = settings;
    this.#loop = this.#run();
  }

  latest(): RepositoryView | null {
    return this.#view;
  }

  contact(): { reachedAt: Instant | null; failure: { code: string; message: string } | null } {
    return { reachedAt: this.#reachedAt, failure: this.#failure };
  }

  nudge(): void {
    this.#isNudged = true;
    this.#wake.abort();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, hintDirectory } = this.#settings;
    using _hint = hintDirectory === null ? null : watchRefs(hintDirectory, () => this.nudge());
    await this.#recall();
    while (!this.#stop.signal.aborted) {
      this.#isNudged = false;
      this.#wake = new AbortController();
      await this.#look();
      if (this.#isNudged) continue;
      const backOff =
        this.#failures === 0 ? intervalMs : Math.min(LONGEST_BACK_OFF_MS, intervalMs * 2 ** this.#failures);
      await clock.sleep(
        backOff * (0.9 + Math.random() / 5),
        AbortSignal.any([this.#stop.signal, this.#wake.signal]),
      );
    }
  }

  /** A controller that starts while the remote is away shall know what an earlier life knew, and act on it. */
  async #recall(): Promise<void> {
    const { repository, branch, historyRef, clock, log } = this.#settings;
    const { signal } = this.#stop;
    try {
      const head = await repository.recall(`refs/heads/${branch}`, signal);
      if (head.kind === 'empty') return;
      const chain = await repository.recall(historyRef, signal);
      const records =
        chain.kind === 'empty' ? [] : await advanceRecords(repository, [], chain.commit, signal);
      const advanced = await advance(this.#settings, EMPTY_VIEW, head.commit, signal);
      this.#view = { ...advanced, records, at: clock.now() };
      this.#isRecalled = true;
      this.#tell();
    } catch (error) {
      if (signal.aborted) return;
      log.warn(
        { reason: messageOf(error) },
        'what was fetched earlier can not be read, the remote is awaited',
      );
    }
  }

  async #look(): Promise<void> {
    const { log } = this.#settings;
    const before = this.#view;
    try {
      const view = await this.#read(this.#stop.signal);
      this.#isRecalled = false;
      this.#failures = 0;
      if (this.#failure) log.info({}, 'the remote answers again');
      this.#failure = null;
      this.#view = view;
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#failures += 1;
      const code = error instanceof SwitchbackError ? error.code : 'E_GIT_FAILED';
      if (this.#failure?.code !== code)
        log.warn({ code, reason: messageOf(error) }, 'the remote could not be read, the last view stands');
      this.#failure = { code, message: messageOf(error) };
    }
    if (this.#view !== before) this.#tell();
  }

  /** The same object when nothing moved. */
  async #read(signal: AbortSignal): Promise<RepositoryView> {
    const { repository, branch, historyRef, clock } = this.#settings;
    const head = await repository.fetch(`refs/heads/${branch}`, signal);
    const recordsHead = await repository.fetch(historyRef, signal);
    this.#reachedAt = clock.now();
    if (head.kind === 'empty' && this.#view?.head) throw branchGone(branch);
    // A history that was rewritten is accepted by a restart, so nothing recalled may stand against it.
    const before = (this.#isRecalled ? null : this.#view) ?? EMPTY_VIEW;
    const records =
      recordsHead.kind === 'empty'
        ? before.records
        : await advanceRecords(repository, before.records, recordsHead.commit, signal);
    if (head.kind === 'empty' || head.commit === before.head) {
      return this.#view !== null && records === before.records ? before : { ...before, records };
    }
    return { ...(await advance(this.#settings, before, head.commit, signal)), records, at: clock.now() };
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        // One who can't hear must not end the looking.
        this.#settings.log.error({ reason: messageOf(error) }, 'a listener of the repository failed');
      }
    }
  }
}

const EMPTY_VIEW: RepositoryView = {
  head: null,
  subject: null,
  at: 0,
  files: new Map(),
  history: NO_HISTORY,
  records: [],
};

function branchGone(branch: string): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_EMPTY',
    `Branch ${branch} is no longer there. What runs is kept. Push the branch again, or configure another one.`,
  );
}

/** Not every system can watch; polling is the truth, so that is no failure. */
function watchRefs(directory: string, onHint: () => void): Disposable {
  try {
    // Recursive, since a branch may be named `team/main`.
    const watcher = watch(join(directory, 'refs'), { recursive: true }, onHint);
    watcher.on('error', () => watcher.close());
    return { [Symbol.dispose]: () => watcher.close() };
  } catch {
    return { [Symbol.dispose]: () => {} };
  }
}
