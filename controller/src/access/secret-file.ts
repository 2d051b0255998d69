import { randomBytes, randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SwitchbackError } from '../error.ts';

/** What a secret begins with says what it is for, so that one found in the wrong place is recognised. */
export type Prefix = 'sbo_' | 'sbr_' | 'sbi_';

const SECRET_BYTES = 32;
const LONGEST_BYTES = 256;

/**
 * The secret that stands in `file`, made on first need. Synchronous, so that a cycle can have the key of a new
 * environment before it publishes a snapshot. Throws E_CONFIG when the file isn't for its owner alone.
 */
export function readOrMakeSecret(file: string, prefix: Prefix): string {
  const known = readSecret(file, prefix);
  if (known !== null) return known;
  makeSecret(file, prefix);
  const made = readSecret(file, prefix);
  if (made === null) throw new SwitchbackError('E_CONFIG', `${file} vanished as soon as it was written.`);
  return made;
}

/** Null when there is none. The opened file is what is judged, so it can't be swapped between look and read. */
function readSecret(file: string, prefix: Prefix): string | null {
  const descriptor = openUnlessMissing(file);
  if (descriptor === null) return null;
  try {
    refuseUnlessPrivate(file, descriptor);
    const buffer = Buffer.alloc(LONGEST_BYTES);
    const text = buffer.toString('latin1', 0, readSync(descriptor, buffer)).trim();
    if (text.startsWith(prefix) && /^[-_A-Za-z0-9]{43}$/.test(text.slice(prefix.length))) return text;
    const remedy = `Remove it (rm ${file}): a new one is made, and what used the old one must be told.`;
    throw new SwitchbackError('E_CONFIG', `${file} holds no secret of ours (${prefix}…). ${remedy}`);
  } finally {
    closeSync(descriptor);
  }
}

function openUnlessMissing(file: string): number | null {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    if (isCode(error, 'ELOOP'))
      throw new SwitchbackError('E_CONFIG', `${file} is a symbolic link. Put the secret itself there.`);
    throw new SwitchbackError('E_CONFIG', `${file} can't be read. Run: chmod 600 ${file}`, { cause: error });
  }
}

function refuseUnlessPrivate(file: string, descriptor: number): void {
  const { mode, uid } = fstatSync(descriptor);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG)
    throw new SwitchbackError('E_CONFIG', `${file} is not a file. Remove it, and a new secret is made.`);
  if ((mode & 0o077) !== 0) {
    const others = (mode & 0o777).toString(8);
    throw new SwitchbackError(
      'E_CONFIG',
      `${file} is open to others than its owner (mode ${others}). Run: chmod 600 ${file}`,
    );
  }
  if (process.getuid && uid !== process.getuid())
    throw new SwitchbackError(
      'E_CONFIG',
      `${file} belongs to another user. Use a state directory of your own.`,
    );
}

/** Whole or not at all, and never over one that another process made meanwhile: theirs is kept. */
function makeSecret(file: string, prefix: Prefix): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(descriptor, `${prefix}${randomBytes(SECRET_BYTES).toString('base64url')}\n`);
    fsyncSync(descriptor);
    linkSync(temporary, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(temporary);
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
