import { appendFile, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ArtifactSource, LfsObject } from '../repository.ts';
import { objectOf } from './artifact.contract.ts';
import { type StoreWorld, storeWorld } from './store.fixture.ts';
import type { ArtifactStoreSettings } from './store.ts';

const WEIGHTS = Buffer.from('weights of a model');
const OBJECT = objectOf(WEIGHTS);
const never = new AbortController().signal;

async function world(settings: Partial<ArtifactStoreSettings> = {}): Promise<StoreWorld> {
  const it = await storeWorld(settings);
  it.bytes = WEIGHTS;
  return it;
}

/** A source that writes a part, says so, and waits until it is told to go on or the signal aborts. */
function haltingSource(bytes: Buffer) {
  const halted = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let downloads = 0;
  const source: ArtifactSource = {
    download: async (_, write, signal) => {
      downloads++;
      await write(bytes.subarray(0, 5));
      signal.addEventListener('abort', () => goOn.reject(signal.reason), { once: true });
      halted.resolve();
      await goOn.promise;
      await write(bytes.subarray(5));
    },
  };
  return { source, halted: halted.promise, goOn: goOn.resolve, downloads: () => downloads };
}

describe('artifactStore', () => {
  it('fetches an object once and keeps it, also over a restart', async () => {
    await using it = await world();
    expect(await it.store.has(OBJECT.digest)).toBe(false);

    const path = await it.store.ensure(OBJECT, never);
    await it.store.ensure(OBJECT, never);
    await it.reopen();

    expect(await it.store.ensure(OBJECT, never)).toBe(path);
    expect(await readFile(path)).toEqual(WEIGHTS);
    expect(await it.store.has(OBJECT.digest)).toBe(true);
    expect(it.downloads).toBe(1);
    expect(it.warnings).toEqual([]);
  });

  it('asks the source once for all who ask at the same time', async () => {
    const halting = haltingSource(WEIGHTS);
    await using it = await world({ source: halting.source });

    const asked = Array.from({ length: 20 }, () => it.store.ensure(OBJECT, never));
    await halting.halted;
    halting.goOn();

    expect(new Set(await Promise.all(asked)).size).toBe(1);
    expect(halting.downloads()).toBe(1);
  });

  it('shows nobody a file that is not whole', async () => {
    const halting = haltingSource(WEIGHTS);
    await using it = await world({ source: halting.source });

    const asked = it.store.ensure(OBJECT, never);
    await halting.halted;

    expect(await it.names('objects')).toEqual([]);
    expect(await it.store.has(OBJECT.digest)).toBe(false);
    halting.goOn();
    expect(await readFile(await asked)).toEqual(WEIGHTS);
    expect(await it.names('incoming')).toEqual([]);
  });

  it('goes on for the others when one who waits gives up', async () => {
    const halting = haltingSource(WEIGHTS);
    await using it = await world({ source: halting.source });
    const controller = new AbortController();
    const impatient = it.store.ensure(OBJECT, controller.signal);
    const patient = it.store.ensure(OBJECT, never);
    await halting.halted;

    controller.abort(new Error('enough'));

    await expect(impatient).rejects.toThrow('enough');
    halting.goOn();
    expect(await readFile(await patient)).toEqual(WEIGHTS);
  });

  it('stops and leaves nothing when nobody waits any more, and starts anew for the next', async () => {
    const halting = haltingSource(WEIGHTS);
    await using it = await world({ source: halting.source });
    const controller = new AbortController();
    const first = it.store.ensure(OBJECT, controller.signal);
    await halting.halted;

    controller.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await expect(it.store.ensure(OBJECT, never)).rejects.toThrow('enough');

    // The source is halted for good; that it was asked again is what tells the second from the first.
    expect(halting.downloads()).toBe(2);
    await it.store[Symbol.asyncDispose]();
    expect(await it.names('incoming')).toEqual([]);
  });

  it.each([
    ['other bytes of the same size', Buffer.from('weights of a camel'), 'E_LFS_DIGEST'],
    ['fewer bytes', WEIGHTS.subarray(0, 9), 'E_LFS_DIGEST'],
    ['an LFS pointer', Buffer.from('version 1'), 'E_LFS_DIGEST'],
    ['nothing', Buffer.alloc(0), 'E_LFS_DIGEST'],
  ])('sets aside what comes when it is %s, and takes the right ones later', async (_, bytes, code) => {
    await using it = await world();
    it.bytes = bytes;

    await expect(it.store.ensure(OBJECT, never)).rejects.toMatchObject({ code });

    expect(await it.store.has(OBJECT.digest)).toBe(false);
    expect(await readFile(join(it.directory, 'quarantine', OBJECT.digest))).toEqual(bytes);
    expect(await it.names('incoming')).toEqual([]);
    expect(it.warnings).toEqual(['set aside an artifact with the wrong bytes']);
    it.bytes = WEIGHTS;
    expect(await readFile(await it.store.ensure(OBJECT, never))).toEqual(WEIGHTS);
  });

  it('keeps one set-aside file a digest, however often other bytes come', async () => {
    await using it = await world();
    for (const text of ['one', 'two', 'three']) {
      it.bytes = Buffer.from(text);
      await it.store.ensure(OBJECT, never).catch(() => {});
    }

    expect(await it.names('quarantine')).toEqual([OBJECT.digest]);
  });

  it('cuts off more bytes than declared', async () => {
    await using it = await world();
    it.bytes = Buffer.alloc(1_000_000);

    await expect(it.store.ensure(OBJECT, never)).rejects.toMatchObject({ code: 'E_LFS_OBJECT' });
    expect(await it.names('incoming')).toEqual([]);
    expect(await it.names('quarantine')).toEqual([]);
  });

  it('takes nothing with a declared size that is wrong, although the digest is right', async () => {
    await using it = await world();

    const wrong = it.store.ensure({ ...OBJECT, sizeBytes: 99 }, never);

    await expect(wrong).rejects.toMatchObject({
      code: 'E_LFS_DIGEST',
      message: expect.stringContaining('18 bytes where 99 are declared'),
    });
    expect(await it.store.has(OBJECT.digest)).toBe(false);
  });

  it('says that the declared size is wrong of a file that it has, and keeps the file', async () => {
    await using it = await world();
    await it.store.ensure(OBJECT, never);

    const wrong = it.store.ensure({ ...OBJECT, sizeBytes: 99 }, never);

    await expect(wrong).rejects.toMatchObject({
      code: 'E_LFS_DIGEST',
      message: expect.stringContaining('18 bytes where 99 are declared'),
    });
    expect(await it.store.has(OBJECT.digest)).toBe(true);
    expect(await it.names('quarantine')).toEqual([]);
  });

  it.each<[string, Partial<ArtifactStoreSettings>, LfsObject, string]>([
    ['10 TB, more than is accepted', {}, { ...OBJECT, sizeBytes: 10e12 }, 'E_LFS_OBJECT'],
    ['more than the disk has room for', { reserveBytes: 1e18 }, OBJECT, 'E_DISK_FULL'],
  ])('asks for nothing that declares %s', async (_, settings, object, code) => {
    await using it = await world(settings);

    await expect(it.store.ensure(object, never)).rejects.toMatchObject({ code });
    expect(it.downloads).toBe(0);
  });

  it('passes on what the source says and leaves nothing behind', async () => {
    const failure = new Error('unreachable');
    await using it = await world({
      source: {
        download: async (_, write) => {
          await write(Buffer.from('half'));
          throw failure;
        },
      },
    });

    await expect(it.store.ensure(OBJECT, never)).rejects.toBe(failure);
    expect(await it.names('incoming')).toEqual([]);
  });

  it('fetches again what was changed on the disk while it was closed, and sets the changed file aside', async () => {
    await using it = await world();
    const path = await it.store.ensure(OBJECT, never);
    await it.store[Symbol.asyncDispose]();
    const rotten = Buffer.from(WEIGHTS).fill('x', 3, 4);
    await writeFile(path, rotten);
    await it.reopen();

    await it.store.ensure(OBJECT, never);

    expect(await readFile(path)).toEqual(WEIGHTS);
    expect(await readFile(join(it.directory, 'quarantine', OBJECT.digest))).toEqual(rotten);
    expect(it.downloads).toBe(2);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['removed', path => rm(path)],
    ['made longer', path => appendFile(path, '!')],
    [
      'replaced by a link',
      async path => {
        await rm(path);
        await symlink('/etc/hostname', path);
      },
    ],
  ])('fetches again what was %s on the disk while it was open', async (_, harm) => {
    await using it = await world();
    const path = await it.store.ensure(OBJECT, never);
    await harm(path);

    expect(await it.store.ensure(OBJECT, never)).toBe(path);
    expect(await readFile(path)).toEqual(WEIGHTS);
    expect(it.downloads).toBe(2);
  });

  it('names the trouble with the disk and no path of it', async () => {
    await using it = await world();
    await writeFile(join(it.directory, 'objects'), 'a file in the way');

    const error = await it.store.ensure(OBJECT, never).catch(caught => caught);

    expect(error).toMatchObject({ code: 'E_LFS_OBJECT', message: expect.stringMatching(/ENOTDIR|EEXIST/) });
    expect(error.message).not.toContain(it.directory);
  });

  it('ends what is under way when it is closed, and takes nothing on after that', async () => {
    const halting = haltingSource(WEIGHTS);
    await using it = await world({ source: halting.source });
    const asked = it.store.ensure(OBJECT, never);
    const outcome = expect(asked).rejects.toMatchObject({ code: 'E_LFS_UNREACHABLE' });
    await halting.halted;

    await it.store[Symbol.asyncDispose]();

    await outcome;
    expect(await it.names('incoming')).toEqual([]);
    await expect(it.store.ensure(OBJECT, never)).rejects.toMatchObject({ code: 'E_LFS_UNREACHABLE' });
  });
});
