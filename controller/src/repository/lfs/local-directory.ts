import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SwitchbackError } from '../../error.ts';
import type { ArtifactSink, LfsObject } from '../repository.ts';
import { type ObjectFolder, objectFolder } from './object-folder.ts';
import { readChunks } from './read-chunks.ts';
import type { ResumableSource } from './resumable-source.ts';

/** Where git-lfs itself keeps the objects of a repository, bare or with a work tree. */
export function objectsOf(repository: string): ObjectFolder {
  const inside = join(repository, '.git');
  const lfs = join(existsSync(inside) ? inside : repository, 'lfs');
  return objectFolder({ objects: join(lfs, 'objects'), incoming: join(lfs, 'tmp') });
}

/** The LFS objects of a repository in a folder of this machine, without a server. */
export function lfsDirectory({ repository }: { repository: string }): ResumableSource & ArtifactSink {
  const folder = objectsOf(repository);

  return {
    download: async (object, write, signal, beginning) => {
      const found = await folder.open(object.digest);
      if (found === null) throw missing(object);
      await using handle = found.handle;
      beginning?.leaveOut();
      for await (const chunk of readChunks(handle, signal, beginning?.bytes)) await write(chunk);
    },
    upload: async (objects, signal) => {
      for (const object of objects) await copyIn(folder, object, signal);
    },
  };
}

async function copyIn(
  folder: ObjectFolder,
  { file, ...object }: LfsObject & { file: string },
  signal: AbortSignal,
): Promise<void> {
  const found = await folder.open(object.digest);
  await found?.handle.close();
  if (found?.sizeBytes === object.sizeBytes) return;

  const received = await folder.receive(object, async write => {
    await using handle = await open(file, 'r');
    for await (const chunk of readChunks(handle, signal)) await write(chunk);
  });
  if (received.kind === 'kept') return;
  await rm(received.file, { force: true });
  throw new SwitchbackError(
    'E_LFS_DIGEST',
    `The file changed after its digest ${object.digest} was taken and was not uploaded; register it again.`,
    { details: { digest: object.digest, found: received.found } },
  );
}

function missing({ digest }: LfsObject): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS object ${digest} is not in the repository's lfs/objects; push it with "git lfs push".`,
    { details: { digest } },
  );
}
