import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import type { RemoteUrl } from '../remote-url.ts';
import { unreachable } from './remote-failure.ts';
import { type Git, type GitResult, isTimeout } from './run.ts';
import { incomingBytes } from './sweep.ts';
import type { Writers } from './writers.ts';

const LOOK_MS = 500;
/** A first clone over a thin line takes its time; one that receives nothing does not get it. */
const LONGEST_MS = 30 * 60_000;
/** After the last byte the pack is checked, object by object. */
const CHECKING_MS = 180_000;
const FETCH = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
  '--no-recurse-submodules',
];

export interface DownloadLimits {
  /** Of what is being received at once. */
  packBytes: number;
  /** How long a remote may say nothing at all. */
  silenceMs: number;
}

export interface Downloads {
  git: Git;
  directory: string;
  remote: RemoteUrl;
  clock: Clock;
  limits: DownloadLimits;
  writers: Writers;
}

/** One `git fetch` of one ref, bounded in bytes, in silence and in time. */
export async function download(
  { git, directory, remote, clock, limits, writers }: Downloads,
  refspec: string,
  signal: AbortSignal,
): Promise<GitResult> {
  const over = new AbortController();
  const ended = new AbortController();
  const watching = watch({ directory, clock, limits, over, ended: ended.signal });
  try {
    return await writers.write(() =>
      git.run({
        args: [...FETCH, '--end-of-options', remote.url, refspec],
        signal: AbortSignal.any([signal, over.signal]),
        timeoutMs: LONGEST_MS,
        accept: 'any',
      }),
    );
  } catch (error) {
    throw isTimeout(error) ? unreachable('it did not end in time', error) : error;
  } finally {
    ended.abort();
    await watching;
  }
}

interface Watched {
  directory: string;
  clock: Clock;
  limits: DownloadLimits;
  /** Aborted with the reason when a bound is passed. */
  over: AbortController;
  ended: AbortSignal;
}

async function watch({ directory, clock, limits, over, ended }: Watched): Promise<void> {
  let received = 0;
  let lastAt = clock.now();
  while (!ended.aborted && !over.signal.aborted) {
    await clock.sleep(Math.min(LOOK_MS, limits.silenceMs), ended);
    const bytes = await incomingBytes(directory);
    if (bytes > limits.packBytes) over.abort(tooLarge(limits.packBytes));
    if (bytes !== received) lastAt = clock.now();
    received = bytes;
    const patience = received === 0 ? limits.silenceMs : Math.max(limits.silenceMs, CHECKING_MS);
    if (clock.now() - lastAt >= patience) over.abort(unreachable('it did not answer in time'));
  }
}

function tooLarge(limitBytes: number): SwitchbackError {
  const limit = limitBytes >= 1024 ** 3 ? `${limitBytes / 1024 ** 3} GiB` : `${limitBytes} bytes`;
  return new SwitchbackError(
    'E_GIT_TOO_LARGE',
    `The remote sent more than ${limit} in one fetch, and the last good commit stays; keep weights in Git LFS.`,
  );
}
