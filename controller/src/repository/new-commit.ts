import { SwitchbackError } from '../error.ts';
import type { Edits, NewCommit } from './repository.ts';

/** A commit's parts as they go into the object, equal for equal input in every adapter. */
export interface CommitParts {
  /** Ends in exactly one line feed. */
  message: string;
  name: string;
  email: string;
  /** Whole seconds since 1970, UTC. */
  seconds: number;
}

export function commitParts(commit: Pick<NewCommit, 'message' | 'author' | 'at'>): CommitParts {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: git refuses NUL in a message, other tools the rest
  const message = `${commit.message.replace(/[\u0000\r]/g, '').trim()}\n`;
  const parts = {
    message,
    name: identityPart(commit.author.name),
    email: identityPart(commit.author.email),
    seconds: Math.floor(commit.at / 1000),
  };
  if (message !== '\n' && parts.name !== '' && parts.email !== '' && parts.seconds >= 0) return parts;
  throw new SwitchbackError(
    'E_GIT_FAILED',
    'A commit needs a message, an author with name and email, and a time after 1970.',
  );
}

/** Refuses what would be hostile in a tree, before anything is written. */
export function checkEdits(edits: Edits): void {
  for (const path of edits.keys()) {
    const isSafe = path.length <= 1000 && path.split('/').every(isSafeSegment);
    if (isSafe) continue;
    throw new SwitchbackError(
      'E_PATH_NAME',
      `${JSON.stringify(path.slice(0, 200))} is not a path that may be written into the model repository.`,
    );
  }
}

function isSafeSegment(segment: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
  if (segment === '' || segment === '.' || segment === '..' || /[\u0000-\u001f\u007f\\:]/.test(segment))
    return false;
  // What some file system or other takes for `.git`: other case, the DOS short name, trailing dots and spaces.
  const folded = segment
    .toLowerCase()
    .replace(/[\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, '')
    .replace(/[. ]+$/, '');
  return folded !== '.git' && folded !== 'git~1';
}

/** As git itself cleans a name: nothing that could end the field or the line. */
function identityPart(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  return text.replace(/[\u0000-\u001f\u007f<>]/g, '').replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, '');
}
