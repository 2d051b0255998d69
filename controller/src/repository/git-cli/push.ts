import type { CommitSha } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { RemoteUrl } from '../remote-url.ts';
import type { PushOutcome } from '../repository.ts';
import { isAncestor } from './ancestry.ts';
import type { FetchRef } from './fetch.ts';
import { remoteFailure } from './remote-failure.ts';
import { FATAL, type Git, type GitResult, isTimeout } from './run.ts';
import { oneLine } from './words.ts';

const MOVED = /stale info|non-fast-forward|fetch first|reference already exists/;
/** An answer that a lost race and a broken remote have in common: only a look can tell. */
const DOUBTFUL = /cannot lock ref|failed to update ref|incorrect old value|remote failure/;
/** Without the right to push, a web remote refuses before it looks at refs. */
const NO_RIGHT = /returned error: 403|Permission to .* denied|not allowed to push|deploy key .*read.only/i;

const PUSHED: PushOutcome = { kind: 'pushed' };
const MOVED_ON: PushOutcome = { kind: 'moved' };

export interface PushRequest {
  git: Git;
  remote: RemoteUrl;
  /** Waits for no other fetch, so that a look that hangs elsewhere does not hold this one. */
  fetch: FetchRef;
  timeoutMs: number;
}

export interface RefUpdate {
  ref: string;
  expected: CommitSha | null;
  next: CommitSha;
}

/** Pushes by compare-and-swap. The caller has seen to it that `next` descends from `expected`: a lease alone would force. */
export async function pushRef(
  request: PushRequest,
  update: RefUpdate,
  signal: AbortSignal,
): Promise<PushOutcome> {
  const result = await send(request, update, signal);
  const answer = refAnswer(result.stdout.toString('utf8'), update.ref);
  if (answer === null) {
    if (NO_RIGHT.test(result.stderr)) return { kind: 'refused', reason: oneLine(result.stderr) };
    return lookAgain(request, update, signal, () => {
      throw remoteFailure(result.stderr || 'the push ended without an answer');
    });
  }
  if (answer.flag !== '!') return PUSHED;
  if (MOVED.test(answer.words)) return (await isBuiltUpon(request, update, signal)) ? PUSHED : MOVED_ON;
  const refused: PushOutcome = {
    kind: 'refused',
    reason: oneLine(`${request.git.plain(answer.words)}\n${remoteWords(result.stderr)}`),
  };
  return DOUBTFUL.test(answer.words) ? lookAgain(request, update, signal, () => refused) : refused;
}

async function send(
  { git, remote, timeoutMs }: PushRequest,
  { ref, expected, next }: RefUpdate,
  signal: AbortSignal,
): Promise<GitResult> {
  try {
    return await git.run({
      args: [
        ...['push', '--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no'],
        `--force-with-lease=${ref}:${expected ?? ''}`,
        ...['--end-of-options', remote.url, `${next}:${ref}`],
      ],
      signal,
      timeoutMs,
      accept: 'any',
    });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    return { code: FATAL, wasKilled: true, stdout: Buffer.alloc(0), stderr: 'the push did not end in time' };
  }
}

/** The reply was lost or says too little: where the ref stands now is the truth. */
async function lookAgain(
  { fetch, git }: PushRequest,
  { ref, expected, next }: RefUpdate,
  signal: AbortSignal,
  unchanged: () => PushOutcome,
): Promise<PushOutcome> {
  const head = await fetch(ref, signal);
  const at = head.kind === 'empty' ? null : head.commit;
  if (at === next) return PUSHED;
  if (at === expected) return unchanged();
  return at !== null && (await isAncestor(git, next, at, signal)) ? PUSHED : MOVED_ON;
}

/**
 * Whether the ref has moved on from our commit, not past it: an earlier push went through, its answer got lost, and
 * somebody was quick. A remote that can't say so now has said "moved" already.
 */
async function isBuiltUpon(
  { fetch, git }: PushRequest,
  { ref, next }: RefUpdate,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const head = await fetch(ref, signal);
    return head.kind === 'commit' && (await isAncestor(git, next, head.commit, signal));
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** The line of `--porcelain` for one ref: flag, `from:to`, words; by tabs. */
function refAnswer(output: string, ref: string): { flag: string; words: string } | null {
  for (const line of output.split('\n')) {
    const [flag = '', names = '', ...words] = line.split('\t');
    if (flag.length === 1 && names.endsWith(`:${ref}`)) return { flag, words: words.join(' ') };
  }
  return null;
}

/** What the remote itself said, without git's own lines around it. */
function remoteWords(stderr: string): string {
  return stderr
    .split('\n')
    .filter(line => line.startsWith('remote:'))
    .map(line => line.slice('remote:'.length).trim())
    .join('\n');
}

export function notDescended({ ref }: RefUpdate): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_FAILED',
    `The commit for ${ref} does not descend from what is expected there; nothing was pushed.`,
  );
}
