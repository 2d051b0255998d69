import { SwitchbackError } from '../../error.ts';
import { damaged, judgeWords } from './damage.ts';
import { oneLine } from './words.ts';

const REFUSED_OBJECT = /\b(?:fsck error|error: object [0-9a-f]{40}: \w+)/;
const TOO_LARGE = /attempting to allocate \d+ over limit|Out of memory|object too large/;
/** git only warns, and leaves the ref where it was. */
const SHALLOW =
  /shallow roots are not allowed|shallow update not allowed|attempt to fetch\/clone from a shallow/;
const REDIRECT = /returned error: 30[1278]/;
const CREDENTIALS =
  /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied|returned error: 40[13]/;
const BROKEN_HERE =
  /Unable to create|unable to write|No space left|insufficient permission|Read-only file system|cannot lock ref/;

/** What git said about a remote, translated: which code, and what to do about it. */
export function remoteFailure(stderr: string): SwitchbackError {
  const said = oneLine(stderr);
  const refusal = refusedContent(stderr);
  if (refusal !== null) return refusal;
  if (REDIRECT.test(said))
    return new SwitchbackError(
      'E_GIT_REMOTE_URL',
      'The remote redirects to another address; configure the final one (often it ends in ".git").',
    );
  if (judgeWords(stderr) === 'damaged') return damaged(said);
  if (BROKEN_HERE.test(said))
    return new SwitchbackError(
      'E_GIT_FAILED',
      `The clone of the model repository can not be written: ${said}`,
    );
  if (CREDENTIALS.test(said))
    return new SwitchbackError(
      'E_GIT_UNREACHABLE',
      `The remote does not accept our credentials: ${said}. Check the token or key and its rights.`,
    );
  return unreachable(said);
}

/** The remote answered, and what it holds is not taken; null where that is not what git says. */
export function refusedContent(stderr: string): SwitchbackError | null {
  const said = oneLine(stderr);
  if (REFUSED_OBJECT.test(said))
    return new SwitchbackError(
      'E_GIT_OBJECT',
      `What the remote sent is refused and the last good commit stays: ${said}. Remove the named entry from the repository's history.`,
    );
  if (SHALLOW.test(said))
    return new SwitchbackError(
      'E_GIT_OBJECT',
      'The remote holds a shallow history, which does not say where it comes from; the last good commit stays. Push the whole history there, as after "git fetch --unshallow".',
    );
  if (TOO_LARGE.test(said))
    return new SwitchbackError(
      'E_GIT_TOO_LARGE',
      `The remote sent an object that needs more memory than is given, and the last good commit stays: ${said}. Keep weights in Git LFS.`,
    );
  return null;
}

export function unreachable(said: string, cause?: unknown): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_UNREACHABLE',
    `The remote of the model repository can not be reached: ${said}`,
    { cause },
  );
}
