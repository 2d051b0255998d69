import { CommitSha } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import type { RemoteUrl } from '../remote-url.ts';
import type { Head } from '../repository.ts';
import { lsRefs } from './ls-refs.ts';
import { remoteFailure, unreachable } from './remote-failure.ts';
import { type Git, type GitResult, isTimeout } from './run.ts';
import { incomingBytes, sweep } from './sweep.ts';

const TIMEOUT_MS = 120_000;
const PACK_LIMIT = 2 * 1024 ** 3;
const PACK_LOOK_MS = 500;
const FETCH = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
  '--no-recurse-submodules',
];
/** git holds a lock on a ref for milliseconds, never while it downloads. */
export const STALE_LOCK_MS = 30_000;
const NO_SUCH_REF = /couldn't find remote ref/;
const LOCKED = /Unable to create '.*\.lock'|cannot lock ref/;

export interface FetchRequest {
  git: Git;
  directory: string;
  remote: RemoteUrl;
  clock: Clock;
  /** Whether a look may go past git, which alone knows a person's credentials. */
  mayAskDirectly: boolean;
}

export type FetchRef = (ref: string, signal: AbortSignal) => Promise<Head>;

/** Fetches one ref at a time; of two callers the second waits for the first. */
export function refFetcher({ git, directory, remote, clock, mayAskDirectly }: FetchRequest): FetchRef {
  const seen = new Map<string, CommitSha>();
  const isWeb = remote.kind === 'http' || remote.kind === 'https';
  let last: Promise<unknown> = Promise.resolve();

  return (ref, signal) => {
    const turn = last.then(() => lookAndFetch(ref, signal));
    last = turn.catch(() => {});
    return turn;
  };

  async function lookAndFetch(ref: string, signal: AbortSignal): Promise<Head> {
    signal.throwIfAborted();
    const where =
      isWeb && mayAskDirectly ? await lsRefs(remote.url, ref, signal) : { kind: 'unknown' as const };
    if (where.kind === 'absent') return { kind: 'empty' };
    if (where.kind === 'at' && seen.get(ref) === where.commit)
      return { kind: 'commit', commit: where.commit };

    const result = await fetchOnce(ref, signal);
    if (result.code === 0) return { kind: 'commit', commit: await remember(ref, signal) };
    if (NO_SUCH_REF.test(result.stderr)) return { kind: 'empty' };
    throw remoteFailure(result.stderr);
  }

  async function fetchOnce(ref: string, signal: AbortSignal): Promise<GitResult> {
    const result = await download(ref, signal);
    if (!LOCKED.test(result.stderr)) return result;
    // A process that was killed between two of our looks left its lock.
    const swept = await sweep(directory, clock.now() - STALE_LOCK_MS);
    return swept.length > 0 ? download(ref, signal) : result;
  }

  async function download(ref: string, signal: AbortSignal): Promise<GitResult> {
    const quota = new AbortController();
    const watch = setInterval(() => void enforceQuota(directory, quota), PACK_LOOK_MS);
    let wasKilled = true;
    try {
      const result = await git.run({
        args: [...FETCH, '--end-of-options', remote.url, `+${ref}:${privateRef(ref)}`],
        signal: AbortSignal.any([signal, quota.signal]),
        timeoutMs: TIMEOUT_MS,
        accept: 'any',
      });
      wasKilled = result.wasKilled;
      return result;
    } catch (error) {
      throw isTimeout(error) ? unreachable('it did not answer in time', error) : error;
    } finally {
      clearInterval(watch);
      // That git is dead and no other fetches here, so what it left is nobody's. A moment more: clocks of files differ.
      if (wasKilled) await sweep(directory, clock.now() + 1_000);
    }
  }

  async function remember(ref: string, signal: AbortSignal): Promise<CommitSha> {
    const commit = await fetchedHead(git, ref, signal);
    if (commit === null) throw new SwitchbackError('E_GIT_REF', `${ref} does not stand at a commit.`);
    seen.set(ref, commit);
    return commit;
  }
}

/** Where the last fetch of this ref left it, an earlier process's too; null: nowhere. */
export async function fetchedHead(git: Git, ref: string, signal: AbortSignal): Promise<CommitSha | null> {
  const args = ['rev-parse', '--verify', '--quiet', `${privateRef(ref)}^{commit}`];
  const { code, stdout } = await git.run({ args, signal, accept: [0, 1, 128] });
  const commit = CommitSha.safeParse(stdout.toString('latin1').trim());
  return code === 0 && commit.success ? commit.data : null;
}

/**
 * Where a fetched ref is kept. Flat, since `a` and `a/b` can't both be refs, yet a remote may have first one and
 * then the other.
 */
function privateRef(ref: string): string {
  return `refs/remotes/origin/${ref.replace(/^refs\/heads\//, '').replaceAll('/', '%')}`;
}

async function enforceQuota(directory: string, quota: AbortController): Promise<void> {
  if ((await incomingBytes(directory)) <= PACK_LIMIT) return;
  const limit = `${PACK_LIMIT / 1024 ** 3} GiB`;
  quota.abort(
    new SwitchbackError(
      'E_GIT_FAILED',
      `The remote sent more than ${limit} in one fetch; keep weights in Git LFS.`,
    ),
  );
}
