import { createHash } from 'node:crypto';
import type { ErrorCode } from '@switchback-ml/schemas';
import type { RepositoryFile } from '../desired/desired-state.ts';
import { parsePointer } from './lfs/pointer.ts';
import type { BlobContent, Change, CommitSource } from './repository.ts';

const LARGEST_MANIFEST = 64 * 1024;
const LARGEST_POINTER = 1024;
/** Raw weights are read to know their digest; beyond this they must be in LFS. */
const LARGEST_RAW = 16 * 2 ** 20;

/** Whether the model repository has any use for the path. */
export const isOurs = (path: string): boolean => /^(models|environments)(\/|$)/.test(path);

/** One changed path as what it is: manifest, LFS pointer, raw bytes, or refused with the reason. */
export async function readFile(
  source: Pick<CommitSource, 'readBlob'>,
  { path, blob, mode }: Change & { blob: NonNullable<Change['blob']> },
  signal: AbortSignal,
): Promise<RepositoryFile> {
  const file = { blob, mode };
  if (mode === '120000') return refused(file, 'E_FILE_KIND', 'is a symbolic link');
  if (mode === '160000') return refused(file, 'E_FILE_KIND', 'is a submodule');
  if (path.endsWith('.yaml')) return manifestIn(file, await source.readBlob(blob, LARGEST_MANIFEST, signal));
  const read = await source.readBlob(blob, LARGEST_POINTER, signal);
  const whole = read.kind === 'bytes' ? read : await source.readBlob(blob, LARGEST_RAW, signal);
  if (whole.kind === 'too-large') return { ...file, kind: 'raw', sizeBytes: whole.sizeBytes, digest: null };
  const { bytes } = whole;
  const pointer = parsePointer(bytes);
  if (pointer.kind === 'pointer') return { ...file, ...pointer };
  if (pointer.kind === 'malformed')
    return refused(file, 'E_LFS_POINTER', `is a malformed LFS pointer: ${pointer.reason}`);
  return { ...file, kind: 'raw', sizeBytes: bytes.length, digest: sha256(bytes) };
}

type Blob = Pick<RepositoryFile, 'blob' | 'mode'>;

function manifestIn(file: Blob, read: BlobContent): RepositoryFile {
  if (read.kind === 'too-large') return refused(file, 'E_MANIFEST_TOO_LARGE', 'is larger than 64 KiB');
  // A pattern of .gitattributes that is too wide takes manifests into LFS; as YAML a pointer is one long text.
  const pointer = parsePointer(read.bytes);
  if (pointer.kind === 'pointer') return { ...file, ...pointer };
  const text = decode(read.bytes);
  if (text !== null) return { ...file, kind: 'manifest', text };
  const wrong = firstWrongByte(read.bytes);
  return refused(file, 'E_MANIFEST_ENCODING', `is not UTF-8: byte ${wrong} is part of no character`);
}

function refused(file: Blob, code: ErrorCode, message: string): RepositoryFile {
  return { ...file, kind: 'refused', code, message };
}

/** Strict: a byte that is no UTF-8 is an error, never a replacement character. A byte-order mark is dropped. */
function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** How many bytes from the start are whole characters; a short walk, for a file that is refused anyway. */
function firstWrongByte(bytes: Uint8Array): number {
  let [right, wrong] = [0, bytes.length];
  while (right < wrong) {
    const middle = Math.ceil((right + wrong) / 2);
    if (isWhole(bytes.subarray(0, middle))) right = middle;
    else wrong = middle - 1;
  }
  return right;
}

/** Whether nothing in it is wrong so far; a character that is cut off at the end may yet come right. */
function isWhole(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
