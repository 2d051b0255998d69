import { BlobId } from '@switchback-ml/schemas';
import { describe, expect, it } from 'vitest';
import { INTO_LFS } from '../../desired/lfs-remedy.ts';
import type { ArtifactSource, CommitSource } from '../repository.ts';
import { type ArtifactWorld, artifactSourceContract, downloadAll, objectOf } from './artifact.contract.ts';
import { type GitBlobSettings, gitBlobs } from './git-blob.ts';

async function open(more: Partial<GitBlobSettings> = {}): Promise<ArtifactWorld<ArtifactSource>> {
  const byBlob = new Map<BlobId, Buffer>();
  const byDigest = new Map<string, BlobId>();
  const commits: Pick<CommitSource, 'readBlob'> = {
    readBlob: async (blob, limitBytes, signal) => {
      signal.throwIfAborted();
      const bytes = byBlob.get(blob);
      if (bytes === undefined) throw new Error(`no blob ${blob}`);
      return bytes.length > limitBytes
        ? { kind: 'too-large', sizeBytes: bytes.length }
        : { kind: 'bytes', bytes };
    },
  };
  return {
    port: gitBlobs({ commits, find: digest => byDigest.get(digest) ?? null, ...more }),
    put: async bytes => {
      const { digest } = objectOf(bytes);
      const blob = BlobId.parse(digest.slice(0, 40));
      byBlob.set(blob, bytes);
      byDigest.set(digest, blob);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

artifactSourceContract('gitBlobs', open);

describe('gitBlobs', () => {
  const bytes = Buffer.from('weights');

  it('names the remedy for a raw artifact that is too large to be held', async () => {
    await using world = await open({ limitBytes: 3 });
    await world.put(bytes);

    await expect(downloadAll(world.port, objectOf(bytes))).rejects.toMatchObject({
      code: 'E_LFS_OBJECT',
      message: expect.stringContaining(`Put it into LFS: ${INTO_LFS}`),
    });
  });

  it('asks the next source for what git does not have', async () => {
    await using elsewhere = await open();
    await using world = await open({ otherwise: elsewhere.port });
    await elsewhere.put(bytes);

    expect(await downloadAll(world.port, objectOf(bytes))).toEqual(bytes);
  });
});
