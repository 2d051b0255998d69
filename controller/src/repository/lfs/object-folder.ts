import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArtifactDigest } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { LfsObject } from '../repository.ts';

const CHUNK = 256 * 1024;

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
        const found = await writeHashed(file, object, produce);
        if (found.digest !== object.digest || found.sizeBytes !== object.sizeBytes)
          return { kind: 'different', found, file };
        await moveDurably(file, path(object.digest));
        return { kind: 'kept' };
      } catch (error) {
        await rm(file, { force: true });
        throw fitToBeShown(error, object);
      }
    },
  };
}

/** What a file holds, read once from start to end. */
export async function hashFile(handle: FileHandle, signal: AbortSignal): Promise<LfsObject> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of readChunks(handle, signal)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { digest: ArtifactDigest.parse(hash.digest('hex')), sizeBytes };
}

/** A file from its start. Each chunk is the reader's own. */
export async function* readChunks(handle: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(CHUNK), { position });
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** After a power cut the new name is there with all its bytes, or not at all. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await using folder = await open(dirname(to), 'r');
  await folder.sync();
}

async function openRegular(path: string): Promise<{ handle: FileHandle; sizeBytes: number } | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR') return null;
    throw error;
  }
  const found = await handle.stat();
  if (found.isFile()) return { handle, sizeBytes: found.size };
  await handle.close();
  return null;
}

async function writeHashed(
  file: string,
  object: LfsObject,
  produce: (write: Write) => Promise<void>,
): Promise<LfsObject> {
  await using handle = await open(file, 'wx', 0o644);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  await produce(async chunk => {
    sizeBytes += chunk.length;
    if (sizeBytes > object.sizeBytes) throw tooLong(object);
    hash.update(chunk);
    await writeAll(handle, chunk);
  });
  await handle.sync();
  return { digest: ArtifactDigest.parse(hash.digest('hex')), sizeBytes };
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done);
    done += bytesWritten;
  }
}

export function tooLong({ digest, sizeBytes }: LfsObject): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `More than the declared ${sizeBytes} bytes came for the LFS object ${digest}; it was cut off there. Push the object again, or correct the size in its pointer.`,
    { details: { digest, sizeBytes } },
  );
}

/** A full disk is named; a path of this machine is not. */
function fitToBeShown(error: unknown, { digest, sizeBytes }: LfsObject): unknown {
  const code = codeOf(error);
  if (code === null) return error;
  const why =
    code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full; free some space' : `the disk said ${code}`;
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS object ${digest} of ${sizeBytes} bytes can not be kept: ${why}.`,
    { cause: error, details: { digest, disk: code } },
  );
}

/** Of an error of the file system; null for any other. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
