import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ArtifactSink, ArtifactSource } from '../repository.ts';
import {
  type ArtifactWorld,
  artifactSinkContract,
  artifactSourceContract,
  downloadAll,
  objectOf,
} from './artifact.contract.ts';
import { lfsDirectory, objectsOf } from './local-directory.ts';

interface World extends ArtifactWorld<ArtifactSource & ArtifactSink> {
  repository: string;
}

async function open(inside = ''): Promise<World> {
  const repository = await mkdtemp(join(tmpdir(), 'switchback-test-'));
  await mkdir(join(repository, inside), { recursive: true });
  return {
    repository,
    port: lfsDirectory({ repository }),
    put: async bytes => {
      const path = objectsOf(repository).path(objectOf(bytes).digest);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    },
    [Symbol.asyncDispose]: () => rm(repository, { recursive: true, force: true }),
  };
}

artifactSourceContract('lfsDirectory', open);
artifactSinkContract('lfsDirectory', open);

describe('lfsDirectory', () => {
  const bytes = Buffer.from('weights');
  const { digest } = objectOf(bytes);

  it('finds the objects of a repository with a work tree', async () => {
    await using world = await open('.git');
    await world.put(bytes);

    const [folder] = await readdir(join(world.repository, '.git/lfs/objects'));

    expect(folder).toBe(digest.slice(0, 2));
    expect(await downloadAll(world.port, objectOf(bytes))).toEqual(bytes);
  });

  it('follows no link in place of an object', async () => {
    await using world = await open();
    const outside = join(world.repository, 'outside');
    const path = objectsOf(world.repository).path(digest);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(outside, bytes);
    await symlink(outside, path);

    await expect(downloadAll(world.port, objectOf(bytes))).rejects.toMatchObject({ code: 'E_LFS_OBJECT' });
  });

  it('leaves nothing behind after an upload, refused or not', async () => {
    await using world = await open();
    const file = join(world.repository, 'file');
    await writeFile(file, bytes);
    const wrong = objectOf(Buffer.from('weighed'));
    const signal = new AbortController().signal;

    await world.port.upload([{ ...objectOf(bytes), file }], signal);
    await world.port.upload([{ ...wrong, file }], signal).catch(() => {});

    expect(await readdir(join(world.repository, 'lfs/tmp'))).toEqual([]);
  });
});
