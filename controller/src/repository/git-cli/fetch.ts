import { CommitSha, type Instant } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { Head } from '../repository.ts';
import { damaged, judgeWords } from './damage.ts';
import { type Downloads, download } from './download.ts';
import type { InLane } from './lanes.ts';
import { lsRefs } from './ls-refs.ts';
import { refusedContent, remoteFailure, unreachable } from './remote-failure.ts';
import type { Git, GitResult } from './run.ts';
import { sweep } from './sweep.ts';
import { oneLine } from './words.ts';

/** git holds a lock on a ref for milliseconds, never while it downloads. */
export const STALE_LOCK_MS = 30_000;
/** One question and a short answer, with nothing to prepare. */
const ASKING_MS = 20_000;
/** What was refused once is not downloaded again with every look; its branch may be mended without moving. */
const REFUSED_FOR_MS = 10 * 60_000;
const NO_SUCH_REF = /couldn't find remote ref/;
const LOCKED = /Unable to create '.*\.lock'|cannot lock ref/;

export interface FetchRequest extends Downloads {
  inLane: InLane;
  /** Where fetched refs are kept; callers of different places never wait for each other. */
  place: 'origin' | 'looked';
  /** Whether a look may go past git, which alone knows a person's credentials. */
  mayAskDirectly: boolean;
  /** Called after something new has come. */
  onMoved?: () => void;
  /** Called when git got by without something of the clone that it could not read. */
  onDamage?: (error: SwitchbackError) => void;
}

export type FetchRef = (ref: string, signal: AbortSignal) => Promise<Head>;

/** Fetches each ref once at a time; of two callers for the same one the second waits for the first. */
export function refFetcher(request: FetchRequest): FetchRef & { forget(): void } {
  const { git, directory, remote, clock, place, inLane, limits, mayAskDirectly } = request;
  const seen = new Map<string, CommitSha>();
  const refused = new Map<string, { commit: CommitSha; error: SwitchbackError; until: Instant }>();
  const isWeb = remote.kind === 'http' || remote.kind === 'https';

  const fetchRef: FetchRef = (ref, signal) =>
    inLane(`${place} ${ref}`, signal, () => lookAndFetch(ref, signal));
  /** What was seen may not be here any more. */
  return Object.assign(fetchRef, { forget: () => seen.clear() });

  async function lookAndFetch(ref: string, signal: AbortSignal): Promise<Head> {
    signal.throwIfAborted();
    const where =
      isWeb && mayAskDirectly
        ? await lsRefs(remote.url, ref, Math.min(ASKING_MS, limits.silenceMs), signal)
        : { kind: 'unknown' as const };
    if (where.kind === 'absent') return { kind: 'empty' };
    if (where.kind === 'silent') throw unreachable('it did not answer in time');
    const at = where.kind === 'at' ? where.commit : null;
    if (at !== null && seen.get(ref) === at) return { kind: 'commit', commit: at };
    const before = refused.get(ref);
    if (before !== undefined && before.commit === at && clock.now() < before.until) throw before.error;

    try {
      return await fetchHead(ref, signal);
    } catch (error) {
      if (at !== null && isRefusal(error))
        refused.set(ref, { commit: at, error, until: clock.now() + REFUSED_FOR_MS });
      throw error;
    }
  }

  async function fetchHead(ref: string, signal: AbortSignal): Promise<Head> {
    const result = await fetchOnce(ref, signal);
    const refusal = refusedContent(result.stderr);
    if (refusal !== null) throw refusal;
    if (result.code === 0 && judgeWords(result.stderr) === 'damaged')
      request.onDamage?.(damaged(oneLine(result.stderr)));
    if (result.code === 0) return { kind: 'commit', commit: await remember(ref, signal) };
    if (NO_SUCH_REF.test(result.stderr)) return { kind: 'empty' };
    throw remoteFailure(result.stderr);
  }

  async function fetchOnce(ref: string, signal: AbortSignal): Promise<GitResult> {
    const refspec = `+${ref}:${privateRef(ref, place)}`;
    const result = await download(request, refspec, signal);
    if (!LOCKED.test(result.stderr)) return result;
    // A process that was killed between two of our looks left its lock.
    const swept = await sweep(directory, clock.now() - STALE_LOCK_MS);
    return swept.length > 0 ? download(request, refspec, signal) : result;
  }

  async function remember(ref: string, signal: AbortSignal): Promise<CommitSha> {
    const commit = await fetchedHead(git, ref, signal, place);
    if (commit === null) throw new SwitchbackError('E_GIT_REF', `${ref} does not stand at a commit.`);
    if (seen.get(ref) !== commit) request.onMoved?.();
    seen.set(ref, commit);
    return commit;
  }
}

function isRefusal(error: unknown): error is SwitchbackError {
  return (
    error instanceof SwitchbackError && (error.code === 'E_GIT_OBJECT' || error.code === 'E_GIT_TOO_LARGE')
  );
}

/** Where the last fetch of this ref left it, an earlier process's too; null: nowhere. */
export async function fetchedHead(
  git: Git,
  ref: string,
  signal: AbortSignal,
  place: FetchRequest['place'] = 'origin',
): Promise<CommitSha | null> {
  const args = ['rev-parse', '--verify', '--quiet', `${privateRef(ref, place)}^{commit}`];
  const { code, stdout } = await git.run({ args, signal, accept: [0, 1, 128] });
  const commit = CommitSha.safeParse(stdout.toString('latin1').trim());
  return code === 0 && commit.success ? commit.data : null;
}

/**
 * Where a fetched ref is kept. Flat, since `a` and `a/b` can't both be refs, yet a remote may have first one and
 * then the other.
 */
function privateRef(ref: string, place: FetchRequest['place']): string {
  return `refs/remotes/${place}/${ref.replace(/^refs\/heads\//, '').replaceAll('/', '%')}`;
}
