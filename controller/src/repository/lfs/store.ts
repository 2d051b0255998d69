import { mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactDigest } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { ArtifactSource, LfsObject } from '../repository.ts';
import { hashFile, moveDurably, type ObjectFolder, objectFolder } from './object-folder.ts';
import { sharedWork } from './shared-work.ts';

/** Artifacts by digest on disk: whole, verified, and fetched once however many ask. */
export interface ArtifactStore extends AsyncDisposable {
  /**
   * The file that holds the object; waits for the source when it is not here yet. Throws E_LFS_UNREACHABLE (try
   * again later), E_LFS_OBJECT, or E_LFS_DIGEST when other bytes came; those are kept in `quarantine/`.
   */
  ensure(object: LfsObject, signal: AbortSignal): Promise<string>;
  /** Whether a file is here under this digest; `ensure` verifies it before it is used. */
  has(digest: ArtifactDigest): Promise<boolean>;
}

export interface ArtifactStoreSettings {
  /** Ours alone: one process writes here. */
  directory: string;
  source: ArtifactSource;
  log?: { warn(fields: object, message: string): void };
  /** Larger objects are refused before anything is asked for. */
  limitBytes?: number;
  /** Of the disk, left free for everybody else on it. */
  reserveBytes?: number;
}

const LARGEST_OBJECT = 16 * 2 ** 30;
const RESERVE = 128 * 2 ** 20;

/** Opens the store; what a killed process left half written is removed. */
export async function artifactStore(settings: ArtifactStoreSettings): Promise<ArtifactStore> {
  const { directory, source, log, limitBytes = LARGEST_OBJECT, reserveBytes = RESERVE } = settings;
  const incoming = join(directory, 'incoming');
  const quarantine = join(directory, 'quarantine');
  const folder = objectFolder({ objects: join(directory, 'objects'), incoming });
  await mkdir(incoming, { recursive: true });
  const swept = await sweep(incoming);
  if (swept > 0) log?.warn({ swept }, 'removed artifacts that were left half written');

  const shared = sharedWork<string>('The artifact store is closed.');
  /** Digests whose bytes were read and found right since the store was opened. */
  const verified = new Set<ArtifactDigest>();

  async function setAside(file: string, object: LfsObject, found: LfsObject): Promise<void> {
    // Under the digest alone: a source that sends ever other bytes must not fill the disk with them.
    await moveDurably(file, join(quarantine, object.digest));
    log?.warn({ digest: object.digest, found }, 'set aside an artifact with the wrong bytes');
  }

  async function fetch(object: LfsObject, signal: AbortSignal): Promise<string> {
    if (object.sizeBytes > limitBytes) throw tooLarge(object, limitBytes);
    const { bavail, bsize } = await statfs(incoming);
    if (object.sizeBytes + reserveBytes > bavail * bsize) throw noSpace(object);
    const received = await folder.receive(object, write => source.download(object, write, signal));
    if (received.kind === 'different') {
      await setAside(received.file, object, received.found);
      throw different(object, received.found);
    }
    verified.add(object.digest);
    return folder.path(object.digest);
  }

  async function ensure(object: LfsObject, signal: AbortSignal): Promise<string> {
    const path = folder.path(object.digest);
    const found = await identify(folder, object, { isVerified: verified.has(object.digest), signal });
    if (found === null) return fetch(object, signal);
    if (found.digest === object.digest) {
      if (found.sizeBytes !== object.sizeBytes) throw different(object, found);
      verified.add(object.digest);
      return path;
    }
    await setAside(path, object, found);
    return fetch(object, signal);
  }

  return {
    ensure: (object, signal) =>
      shared.run(`${object.digest}/${object.sizeBytes}`, until => ensure(object, until), signal),
    has: async digest => {
      const found = await folder.open(digest);
      await found?.handle.close();
      return found !== null;
    },
    [Symbol.asyncDispose]: () => shared.close(),
  };
}

/** What stands under the digest; read through unless that was done before and the size is still right. */
async function identify(
  folder: ObjectFolder,
  object: LfsObject,
  { isVerified, signal }: { isVerified: boolean; signal: AbortSignal },
): Promise<LfsObject | null> {
  const found = await folder.open(object.digest);
  if (found === null) return null;
  await using handle = found.handle;
  if (isVerified && found.sizeBytes === object.sizeBytes) return object;
  return await hashFile(handle, signal);
}

async function sweep(incoming: string): Promise<number> {
  const names = await readdir(incoming);
  await Promise.all(names.map(name => rm(join(incoming, name), { recursive: true, force: true })));
  return names.length;
}

function different({ digest, sizeBytes }: LfsObject, found: LfsObject): SwitchbackError {
  const what =
    found.digest === digest
      ? `has ${found.sizeBytes} bytes where ${sizeBytes} are declared; correct the size in its pointer and version.yaml`
      : `came as ${found.sizeBytes} bytes with the digest ${found.digest}; push the right file again, or register a new version`;
  return new SwitchbackError('E_LFS_DIGEST', `The artifact ${digest} ${what}.`, {
    details: { digest, sizeBytes, found },
  });
}

function tooLarge({ digest, sizeBytes }: LfsObject, limitBytes: number): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The artifact ${digest} declares ${sizeBytes} bytes, more than the ${limitBytes} that are accepted; correct the size in its pointer.`,
    { details: { digest, sizeBytes, limitBytes } },
  );
}

function noSpace({ digest, sizeBytes }: LfsObject): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The disk has no room for the ${sizeBytes} bytes of the artifact ${digest}; free some space.`,
    { details: { digest, sizeBytes, disk: 'ENOSPC' } },
  );
}
