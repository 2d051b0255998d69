import { SwitchbackError } from '../../error.ts';
import { oneLine } from './words.ts';

const REFUSED_OBJECT = /\b(?:fsck error|error: object [0-9a-f]{40}: \w+)/;
const REDIRECT = /returned error: 30[1278]/;
const CREDENTIALS =
  /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied|returned error: 40[13]/;
const BROKEN_HERE =
  /Unable to create|unable to write|No space left|insufficient permission|Read-only file system|cannot lock ref/;

/** What git said about a remote, translated: which code, and what to do about it. */
export function remoteFailure(stderr: string): SwitchbackError {
  const said = oneLine(stderr);
  if (REFUSED_OBJECT.test(said))
    return new SwitchbackError(
      'E_GIT_FAILED',
      `What the remote sent is refused and the last good commit stays: ${said}. Remove the named entry from the repository's history.`,
      { details: { isRefusedObject: true } },
    );
  if (REDIRECT.test(said))
    return new SwitchbackError(
      'E_GIT_REMOTE_URL',
      'The remote redirects to another address; configure the final one (often it ends in ".git").',
    );
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

export function unreachable(said: string, cause?: unknown): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_UNREACHABLE',
    `The remote of the model repository can not be reached: ${said}`,
    { cause },
  );
}
