import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArtifactDigest, type Instant } from '@switchback-ml/schemas';
import type { LfsObject } from '../repository.ts';
import { diskCodeOf, fitToBeShown } from './disk-error.ts';
import { Intake } from './intake.ts';

const HASHED_AT_ONCE = 256 * 1024;
/** git-lfs keeps files of its own in the same folder. */
const OURS = /^[0-9a-f]{64}-[0-9a-f-]{36}$/;

export type Write = (chunk: Uint8Array) => Promise<void>;
/** `different`: the bytes are not the object; they stay at `file`, which the caller removes or sets aside. */
export type Received = { kind: 'kept' } | { kind: 'different'; found: LfsObject; file: string };

/** Objects under the names that LFS gives them, `aa/bb/<digest>`: whole and verified, or not there. */
export interface ObjectFolder {
  path(digest: ArtifactDigest): string;
  /** Null when it is not there. A symbolic link is not followed. */
  open(digest: ArtifactDigest): Promise<{ handle: FileHandle; sizeBytes: number } | null>;
  /** Keeps what `produce` writes once size and digest are right; no reader ever sees a part of it. */
  receive(object: LfsObject, produce: (write: Write) => Promise<void>): Promise<Received>;
}

/** `incoming` must be on the same file system as `objects`. */
export function objectFolder({ objects, incoming }: { objects: string; incoming: string }): ObjectFolder {
  const path = (digest: ArtifactDigest): string =>
    join(objects, digest.slice(0, 2), digest.slice(2, 4), digest);

  return {
    path,
    open: digest => openRegular(path(digest)),
    receive: async (object, produce) => {
      const file = join(incoming, `${object.digest}-${randomUUID()}`);
      try {
        await mkdir(incoming, { recursive: true });
        const found = await receiveInto(file, object, produce);
        if (!isSame(found, object)) return { kind: 'different', found, file };
        await moveDurably(file, path(object.digest));
        return { kind: 'kept' };
      } catch (error) {
        await rm(file, { force: true });
        throw fitToBeShown(error, object);
      }
    },
  };
}

export function isSame(one: LfsObject, other: LfsObject): boolean {
  return one.digest === other.digest && one.sizeBytes === other.sizeBytes;
}

/** What a file holds, read once from start to end, as slowly as `pace` says. */
export async function hashFile(
  handle: FileHandle,
  signal: AbortSignal,
  pace?: (bytes: number) => Promise<void>,
): Promise<LfsObject> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafeSlow(HASHED_AT_ONCE);
  for (let position = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(chunk, { position });
    if (bytesRead === 0) return { digest: ArtifactDigest.parse(hash.digest('hex')), sizeBytes: position };
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
    await pace?.(bytesRead);
  }
}

/** After a power cut the new name is there with all its bytes, or not at all. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await using folder = await open(dirname(to), 'r');
  await folder.sync();
}

/** Removes what a killed process of ours left half written; `before`: only what was last written earlier. */
export async function sweepIncoming(incoming: string, before: Instant): Promise<void> {
  for (const name of await readdir(incoming).catch(() => [])) {
    if (!OURS.test(name)) continue;
    const found = await stat(join(incoming, name)).catch(() => null);
    if (found !== null && found.mtimeMs < before) await rm(join(incoming, name), { force: true });
  }
}

async function receiveInto(
  file: string,
  object: LfsObject,
  produce: (write: Write) => Promise<void>,
): Promise<LfsObject> {
  await using intake = await Intake.begin(file, object);
  await produce(chunk => intake.write(chunk));
  return await intake.finish();
}

async function openRegular(path: string): Promise<{ handle: FileHandle; sizeBytes: number } | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = diskCodeOf(error);
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR') return null;
    throw error;
  }
  const found = await handle.stat();
  if (found.isFile()) return { handle, sizeBytes: found.size };
  await handle.close();
  return null;
}
