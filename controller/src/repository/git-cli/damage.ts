import { SwitchbackError } from '../../error.ts';

/** What git says of a clone whose files are not what they were; never of what a remote sent. */
const DAMAGE =
  /\bis corrupt\b|object file .* is empty|inflate: |does not match index|index file .* is (?:too small|corrupt)|non-monotonic index|wrong index|unable to read tree|unable to (?:read|stream|find|unpack) [0-9a-f]{40}|failed to unpack tree object|did not send all necessary objects|not a git repository|bad config (?:line|file)|hash mismatch|packfile .* (?:cannot be|index not opened|far too short|claims to have|signature)|is not a GIT packfile|bad tree object|ignoring broken ref|missing (?:blob|tree|commit)\b|bad object refs\/|invalid object|[Cc]ould not read [0-9a-f]{40}|traverse parents of/;
/** An object that a caller named is not there: the caller's mistake, or the clone has lost it. */
const ABSENT = /bad object [0-9a-f]{40}|Not a valid (?:commit|object) name/;

export type Suspicion = 'damaged' | 'suspect' | 'none';

/** How much git's words, made fit to be shown, say about the state of the clone itself. */
export function judgeWords(said: string): Suspicion {
  // A remote that is damaged says so in the same words, behind its own prefix.
  const own = said
    .split('\n')
    .filter(line => !line.startsWith('remote:'))
    .join('\n');
  if (DAMAGE.test(own)) return 'damaged';
  return ABSENT.test(own) ? 'suspect' : 'none';
}

export function damaged(said: string, cause?: unknown): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_DAMAGED',
    `The clone of the model repository is damaged: ${said}. What runs is kept; it is set aside and cloned anew as soon as the remote answers.`,
    { cause },
  );
}
