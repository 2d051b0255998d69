import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorCode } from '@switchback-ml/schemas';
import { CommitSha, type Instant } from '@switchback-ml/schemas';
import { type Clock, systemClock } from '../../clock.ts';
import { desired } from '../../desired/desired.ts';
import type { DesiredState } from '../../desired/desired-state.ts';
import type { Memory } from '../../desired/memory.ts';
import { SwitchbackError } from '../../error.ts';
import { belowRoot } from '../../repository/below-root.ts';
import { gitRepository } from '../../repository/git-cli/index.ts';
import { RepositoryPoller } from '../../repository/poller.ts';
import type { Edits, PushOutcome, Repository } from '../../repository/repository.ts';
import type { RepositoryView } from '../../repository/view.ts';
import { lockClone } from './clone-lock.ts';
import type { Person } from './person.ts';
import type { RepositoryTarget } from './target.ts';

const HISTORY_REF = 'refs/switchback/history';
/** Looks are asked for one by one; the poller's own time never comes. */
const NEVER_MS = 24 * 3_600_000;
/** Stands for the commit of a branch that does not exist yet. */
const NO_COMMIT = CommitSha.parse('0'.repeat(40));

/** Where the branch stands, and everything that its manifests ask for. */
export interface Look {
  head: CommitSha | null;
  view: RepositoryView;
  desired: DesiredState;
  now: Instant;
}

/** The model repository through a clone of the person's own, to be looked at. */
export interface Reader extends AsyncDisposable {
  /** Of the clone. */
  directory: string;
  repository: Repository;
  /** Asks the remote. Throws what the remote's failure is, e.g. E_GIT_UNREACHABLE. */
  look(signal: AbortSignal): Promise<Look>;
}

/** The same with the person's own git rights, to be changed. */
export interface Workspace extends Reader {
  branch: string;
  person: Person;
  target: RepositoryTarget;
  /** Edits are relative to the model repository's root. */
  commit(change: { look: Look; edits: Edits; message: string }, signal: AbortSignal): Promise<CommitSha>;
  push(
    branch: string,
    expected: CommitSha | null,
    next: CommitSha,
    signal: AbortSignal,
  ): Promise<PushOutcome>;
}

export interface ReaderOptions {
  target: RepositoryTarget;
  /** For git, as of the person. */
  environment: Person['environment'];
  /** A folder that keeps the clone for the next time; used when no other command does. */
  cache: string | null;
  clock?: Clock;
}

export interface WorkspaceOptions extends Omit<ReaderOptions, 'environment'> {
  person: Person;
}

export async function openWorkspace({ person, ...options }: WorkspaceOptions): Promise<Workspace> {
  const { target } = options;
  const reader = await openReader({ ...options, environment: person.environment });
  const { repository } = reader;
  return {
    ...reader,
    branch: target.branch,
    person,
    target,
    commit: ({ look: { head, now }, edits, message }, signal) =>
      repository.commit(
        { parent: head, edits: belowRoot(target.root, edits), message, author: person, at: now },
        signal,
      ),
    push: (branch, expected, next, signal) => repository.push(`refs/heads/${branch}`, expected, next, signal),
  };
}

export async function openReader(options: ReaderOptions): Promise<Reader> {
  const { target, environment, clock = systemClock } = options;
  await using opened = new AsyncDisposableStack();
  const directory = await openFolder(options, opened);
  const { url, isDirectory: allowFile } = target;
  const repository = opened.use(await gitRepository({ url, directory, allowFile, environment, clock }));
  const closing = opened.move();
  return {
    directory,
    repository,
    look: lookAgain({ target, repository, clock, opened: closing }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The cached clone, or a temporary one when another command holds it. */
async function openFolder({ cache }: ReaderOptions, opened: AsyncDisposableStack): Promise<string> {
  const lock = cache === null ? null : await lockClone(cache);
  if (lock !== null) {
    opened.use(lock);
    return lock.directory;
  }
  const temporary = await mkdtemp(join(tmpdir(), 'switchback-clone-'));
  opened.defer(() => rm(temporary, { recursive: true, force: true }));
  return temporary;
}

/** One look at a time through the controller's own reader: whatever it does after a look is to sleep. */
function lookAgain({
  target,
  repository,
  clock,
  opened,
}: {
  target: RepositoryTarget;
  repository: Repository;
  clock: Clock;
  opened: AsyncDisposableStack;
}): Workspace['look'] {
  const memory: Memory = new Map();
  let poller: RepositoryPoller | null = null;
  let looked = Promise.withResolvers<void>();
  const sleep: Clock['sleep'] = (ms, signal) => {
    looked.resolve();
    return clock.sleep(ms, signal);
  };
  const start = (): RepositoryPoller =>
    opened.use(
      new RepositoryPoller({
        repository,
        branch: target.branch,
        historyRef: HISTORY_REF,
        root: target.root,
        intervalMs: NEVER_MS,
        clock: { now: clock.now, sleep },
        log: SILENT,
        hintDirectory: null,
      }),
    );
  return async signal => {
    looked = Promise.withResolvers<void>();
    if (poller === null) poller = start();
    else poller.nudge();
    await ended(looked.promise, signal);
    const { failure } = poller.contact();
    if (failure) throw new SwitchbackError(failure.code as ErrorCode, failure.message);
    const view = poller.latest();
    if (view === null) throw new SwitchbackError('E_GIT_UNREACHABLE', 'The remote could not be read.');
    const { head, files, history } = view;
    return {
      head,
      view,
      desired: desired({ commit: head ?? NO_COMMIT, files, history }, memory),
      now: clock.now(),
    };
  };
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

async function ended(looked: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([looked, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
