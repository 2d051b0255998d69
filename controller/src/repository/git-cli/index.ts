import { type Clock, systemClock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import { qualifiedRef } from '../ref.ts';
import { parseRemoteUrl, type RemoteUrl } from '../remote-url.ts';
import type { Repository } from '../repository.ts';
import { isAncestor } from './ancestry.ts';
import { BlobReader } from './blob-reader.ts';
import { homeOf, openClone, scratchOf } from './clone.ts';
import { makeCommit } from './commit.ts';
import type { DownloadLimits } from './download.ts';
import { gitEnvironment } from './environment.ts';
import { type FetchRef, type FetchRequest, fetchedHead, refFetcher } from './fetch.ts';
import { historyLog } from './history-log.ts';
import { makeLanes } from './lanes.ts';
import { notDescended, type PushRequest, pushRef } from './push.ts';
import { type Renewal, renewal } from './renewal.ts';
import { EMPTY_TREE, makeRevert, treeChanges } from './revert.ts';
import type { Git } from './run.ts';
import { type TidyLimits, tidier } from './tidy.ts';
import { Writers } from './writers.ts';

export interface GitRepositorySettings {
  /** https, ssh, http to this machine, or with `allowFile` a path. */
  url: string;
  /** The bare clone; made when missing. Ours alone: one process fetches here. */
  directory: string;
  allowFile: boolean;
  /** Credentials and settings for git, as environment variables; their values never reach a message. */
  environment?: Readonly<Record<string, string>>;
  clock?: Clock;
  log?: { warn(fields: object, message: string): void };
  limits?: Partial<GitLimits>;
}

/** `packs`, `loose`: how many there may be before they are put together. */
export type GitLimits = DownloadLimits & TidyLimits & { pushMs: number };

const LIMITS: GitLimits = {
  packBytes: 2 * 1024 ** 3,
  silenceMs: 60_000,
  pushMs: 60_000,
  packs: 50,
  loose: 2_000,
};

/** The model repository through the system's git, on a bare clone that is never checked out. */
export async function gitRepository(settings: GitRepositorySettings): Promise<Repository> {
  const { git, blobs, fetch, pushes, health, close, closing } = await openParts(settings);
  const { directory } = settings;
  const until = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, closing]);
  /** Every use of the clone may be the one that finds it damaged. */
  async function use<Result>(
    signal: AbortSignal,
    act: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await act(until(signal));
    } catch (error) {
      health.note(error);
      throw error;
    }
  }

  return {
    fetch: (name, caller) =>
      use(caller, async signal => {
        const ref = qualifiedRef(name);
        await health.ifNeeded(ref, signal);
        return fetch(ref, signal);
      }),
    recall: (name, caller) =>
      use(caller, async signal => {
        const commit = await fetchedHead(git, qualifiedRef(name), signal);
        return commit === null ? { kind: 'empty' } : { kind: 'commit', commit };
      }),
    diff: (from, to, caller) => use(caller, signal => treeChanges(git, from ?? EMPTY_TREE, to, signal)),
    history: (from, to, caller) => use(caller, signal => historyLog(git, from, to, signal)),
    isAncestor: (ancestor, descendant, caller) =>
      use(caller, signal => isAncestor(git, ancestor, descendant, signal)),
    readBlob: (blob, limitBytes, caller) => use(caller, signal => blobs.read(blob, limitBytes, signal)),
    commit: (commit, caller) =>
      use(caller, signal => makeCommit({ git, scratch: scratchOf(directory) }, commit, signal)),
    revert: (commit, head, caller) => use(caller, signal => makeRevert({ git, blobs }, commit, head, signal)),
    push: (name, expected, next, caller) =>
      use(caller, async signal => {
        const update = { ref: qualifiedRef(name), expected, next };
        if (expected !== null && !(await isAncestor(git, expected, next, signal))) throw notDescended(update);
        return pushRef(pushes, update, signal);
      }),
    [Symbol.asyncDispose]: close,
  };
}

interface Parts {
  git: Git;
  blobs: BlobReader;
  fetch: FetchRef;
  pushes: PushRequest;
  health: Renewal;
  /** Aborts when the repository is closed. */
  closing: AbortSignal;
  close: () => Promise<void>;
}

async function openParts(settings: GitRepositorySettings): Promise<Parts> {
  const { directory, environment = {}, clock = systemClock, log } = settings;
  const limits = { ...LIMITS, ...settings.limits };
  const remote = parseRemoteUrl(settings.url, settings);
  const openAt = opener(settings, remote);
  const git = await openAt(directory);
  const blobs = new BlobReader(git);
  const inLane = makeLanes();
  const writers = new Writers({ directory, clock });
  const onTidied = () => blobs.restart();
  const tidy = tidier({ git, directory, clock, limits, writers, onTidied, log });
  const fetching: FetchRequest = {
    ...{ git, directory, remote, clock, limits, writers, inLane, place: 'origin' },
    mayAskDirectly: Object.keys(environment).length === 0,
    onMoved: () => tidy.kick(),
    onDamage: error => health.note(error),
  };
  const fetch = refFetcher(fetching);
  const look = refFetcher({ ...fetching, place: 'looked' });
  const health: Renewal = renewal({
    ...{ git, directory, clock, inLane, log },
    cloneInto: async (folder, ref, signal) => {
      const fresh = { git: await openAt(folder), directory: folder, onMoved: () => {} };
      const alone = { inLane: makeLanes(), writers: new Writers({ directory: folder, clock }) };
      await refFetcher({ ...fetching, ...fresh, ...alone })(ref, signal);
    },
    onRenewed: () => {
      fetch.forget();
      look.forget();
      blobs.restart();
    },
  });
  const stop = new AbortController();
  const close = async (): Promise<void> => {
    stop.abort(new SwitchbackError('E_GIT_FAILED', 'The repository is closed.'));
    await tidy[Symbol.asyncDispose]();
    await blobs[Symbol.asyncDispose]();
    await health.idle();
    await git.idle();
  };
  const pushes: PushRequest = { git, remote, fetch: look, timeoutMs: limits.pushMs };
  return { git, blobs, fetch, pushes, health, closing: stop.signal, close };
}

/** Opens clones of one remote, each with an empty home of its own. */
function opener(settings: GitRepositorySettings, remote: RemoteUrl): (folder: string) => Promise<Git> {
  const { environment = {}, clock = systemClock, log } = settings;
  const secrets = secretsOf(environment);
  return folder => {
    const env = gitEnvironment({ kind: remote.kind, home: homeOf(folder), extra: environment });
    return openClone({ directory: folder, clock, environment: env, secrets, log });
  };
}

const HARMLESS =
  /^(?:HOME|PATH|LANG|LC_\w+|USER|LOGNAME|TERM|SSH_AUTH_SOCK|SSH_ASKPASS|GIT_ASKPASS|GIT_SSH_COMMAND|GIT_CONFIG_GLOBAL|GIT_CONFIG_COUNT|GIT_CONFIG_KEY_\d+)$/;
const SHORTEST_SECRET = 6;

/** Every value that is not known to be harmless, whole and word by word: a header holds scheme and token. */
function secretsOf(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment)
    .filter(([name]) => !HARMLESS.test(name))
    .flatMap(([, value]) => [value, ...value.split(/\s+/)])
    .filter(value => value.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
}
