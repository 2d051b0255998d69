import { watch } from 'node:fs';
import { join } from 'node:path';
import type { CommitSha, Instant } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import { messageOf, SwitchbackError } from '../error.ts';
import type { Log } from '../log.ts';
import { advance, advanceRecords, checkDescends } from './advance.ts';
import { NO_HISTORY } from './history.ts';
import type { CommitMemory, CommitSource, Head, HistoryEntry } from './repository.ts';
import type { RemoteFailure, RepositoryView, RepositoryWatch, Rewrite } from './view.ts';

export interface PollerSettings {
  repository: CommitSource & CommitMemory;
  /** Folder of the git repository that holds the model repository; empty: its top. */
  root: string;
  /** Where weights come from whatever the repository says; null: nowhere, or not over HTTP. */
  lfsEndpoint?: string | null;
  branch: string;
  historyRef: string;
  intervalMs: number;
  clock: Clock;
  log: Log;
  /** A bare repository on this machine, whose refs are watched as a hint. */
  hintDirectory: string | null;
  /**
   * The head that an earlier life published last, as something other than the clone remembers it. The branch must
   * still hold it. Absent or null: whatever the remote holds at the first look is taken.
   */
  lastSeen?: CommitSha | null;
}

const LONGEST_BACK_OFF_MS = 10_000;

/**
 * Publishes the repository as last seen, with its age. Work is proportional to the change: only changed blobs are
 * read. Nobody waits for it; a remote that is away leaves the last view standing.
 */
export class RepositoryPoller implements RepositoryWatch, AsyncDisposable {
  readonly #settings: PollerSettings;
  readonly #branch: string;
  readonly #stop = new AbortController();
  readonly #listeners: (() => void)[] = [];
  readonly #loop: Promise<void>;
  #wake = new AbortController();
  #isNudged = false;
  #view: RepositoryView | null = null;
  /** What the branch must hold: the newest head that was published or accepted. Null: anything will do. */
  #anchor: CommitSha | null;
  /** A person accepted this as the new beginning of the records. */
  #acceptedRecords: CommitSha | null = null;
  #rewrite: Rewrite | null = null;
  #reachedAt: Instant | null = null;
  #failure: RemoteFailure | null = null;
  #failures = 0;

  constructor(settings: PollerSettings) {
    this.#settings = settings;
    this.#branch = `refs/heads/${settings.branch}`;
    this.#anchor = settings.lastSeen ?? null;
    this.#loop = this.#run();
  }

  latest(): RepositoryView | null {
    return this.#view;
  }

  contact(): { reachedAt: Instant | null; failure: RemoteFailure | null } {
    return { reachedAt: this.#reachedAt, failure: this.#failure };
  }

  nudge(): void {
    this.#isNudged = true;
    this.#wake.abort();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  acceptRewrite(head: CommitSha): 'accepted' | 'not-there' {
    const rewrite = this.#rewrite;
    if (rewrite?.after !== head) return 'not-there';
    if (rewrite.ref === this.#branch) this.#anchor = head;
    else this.#acceptedRecords = head;
    this.#settings.log.warn({ ...rewrite }, 'a rewritten history was accepted');
    this.nudge();
    return 'accepted';
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
    const { repository, historyRef, clock, log } = this.#settings;
    const { signal } = this.#stop;
    try {
      const head = await this.#recallHead(signal);
      if (head === null) return;
      const chain = await repository.recall(historyRef, signal);
      const records =
        chain.kind === 'empty' ? [] : await advanceRecords(repository, [], chain.commit, signal);
      const { isTurned: _, ...advanced } = await advance(this.#settings, EMPTY_VIEW, head, signal);
      this.#view = { ...advanced, records, at: clock.now() };
      this.#tell();
    } catch (error) {
      if (signal.aborted) return;
      log.warn(
        { reason: messageOf(error) },
        'what was fetched earlier can not be read, the remote is awaited',
      );
    }
  }

  /** Where the clone stands, unless the branch was rewritten just before the last life ended: then what that had. */
  async #recallHead(signal: AbortSignal): Promise<CommitSha | null> {
    const { repository } = this.#settings;
    const head = await repository.recall(this.#branch, signal);
    if (head.kind === 'empty') return null;
    const anchor = this.#anchor;
    if (anchor === null || (await repository.isAncestor(anchor, head.commit, signal))) return head.commit;
    return (await repository.isAncestor(anchor, anchor, signal)) ? anchor : null;
  }

  async #look(): Promise<void> {
    const before = this.#view;
    try {
      this.#view = await this.#readTwice(this.#stop.signal);
      this.#anchor = this.#view.head ?? this.#anchor;
      this.#failures = 0;
      if (this.#failure) this.#settings.log.info({}, 'the remote answers again');
      this.#failure = null;
      this.#rewrite = null;
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#fail(error);
    }
    if (this.#view !== before) this.#tell();
  }

  #fail(error: unknown): void {
    const { clock, log } = this.#settings;
    this.#failures += 1;
    const code = error instanceof SwitchbackError ? error.code : 'E_GIT_FAILED';
    const message = messageOf(error);
    if (this.#failure?.code !== code)
      log.warn({ code, reason: message }, 'the remote could not be read, the last view stands');
    const since = this.#failure?.since ?? clock.now();
    this.#failure = { code, message, since, ...(this.#rewrite && { rewritten: this.#rewrite }) };
  }

  /** A clone that turns out to be damaged is replaced by the next fetch, so there is no reason to wait for that. */
  async #readTwice(signal: AbortSignal): Promise<RepositoryView> {
    try {
      return await this.#read(signal);
    } catch (error) {
      if (!(error instanceof SwitchbackError) || error.code !== 'E_GIT_DAMAGED') throw error;
      this.#settings.log.warn({ reason: error.message }, 'the clone is damaged, it is looked at again');
      return await this.#read(signal);
    }
  }

  /** The same object when nothing moved. */
  async #read(signal: AbortSignal): Promise<RepositoryView> {
    const { repository, branch, historyRef, clock } = this.#settings;
    const [head, chain] = await both(
      repository.fetch(this.#branch, signal),
      repository.fetch(historyRef, signal),
    );
    this.#reachedAt = clock.now();
    const before = this.#view ?? EMPTY_VIEW;
    if (head.kind === 'empty' && (before.head ?? this.#anchor) !== null) throw branchGone(branch);
    const records = await this.#readRecords(before.records, chain, signal);
    if (head.kind === 'empty' || head.commit === before.head) {
      const isSame = this.#view !== null && records === before.records;
      return isSame ? before : { ...before, records };
    }
    const { isTurned, ...advanced } = await this.#advance(before, head.commit, signal);
    const view = { ...advanced, records, at: clock.now() };
    if (!isTurned || before.head === null) return view;
    this.#settings.log.warn(
      { before: before.head, head: head.commit },
      'the former head came in by the other side of a merge, history is told anew',
    );
    return { ...view, turnedFrom: before.head };
  }

  async #readRecords(
    known: readonly HistoryEntry[],
    chain: Head,
    signal: AbortSignal,
  ): Promise<readonly HistoryEntry[]> {
    if (chain.kind === 'empty') return known;
    const { repository, historyRef } = this.#settings;
    try {
      return await advanceRecords(repository, known, chain.commit, signal);
    } catch (error) {
      const accepted = this.#acceptedRecords;
      if (!isRewritten(error) || accepted === null) throw this.#remember(error, historyRef);
      if (!(await repository.isAncestor(accepted, chain.commit, signal)))
        throw this.#remember(error, historyRef);
      return advanceRecords(repository, [], chain.commit, signal);
    }
  }

  async #advance(before: RepositoryView, head: CommitSha, signal: AbortSignal): ReturnType<typeof advance> {
    const { repository } = this.#settings;
    const anchor = this.#anchor;
    try {
      if (anchor === before.head) return await advance(this.#settings, before, head, signal);
      if (anchor !== null)
        await checkDescends(repository, { what: 'The branch', before: anchor, after: head }, signal);
      const isBelow = before.head !== null && (await repository.isAncestor(before.head, head, signal));
      return await advance(this.#settings, isBelow ? before : EMPTY_VIEW, head, signal);
    } catch (error) {
      throw this.#remember(error, this.#branch);
    }
  }

  #remember(error: unknown, ref: string): unknown {
    if (!isRewritten(error)) return error;
    const { before, after } = error.details as unknown as Omit<Rewrite, 'ref'>;
    this.#rewrite = { ref, before, after };
    return error;
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

function isRewritten(error: unknown): error is SwitchbackError {
  return error instanceof SwitchbackError && error.code === 'E_HISTORY_REWRITTEN';
}

/** Side by side; the failure of one is not told before the other has ended too. */
async function both<First, Second>(first: Promise<First>, second: Promise<Second>): Promise<[First, Second]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

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
