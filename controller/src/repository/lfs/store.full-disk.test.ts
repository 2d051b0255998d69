import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Folder, temporaryFolder } from '../../remote/world.fixture.ts';
import { storeWorld } from './store.fixture.ts';
import { nthObject } from './store.process.fixture.ts';

const MEGA = 2 ** 20;
const never = new AbortController().signal;

interface SmallDisk extends AsyncDisposable {
  path: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
}

/** A file system of its own with 16 MiB, where this system lets us make one. */
async function smallDisk(): Promise<SmallDisk | null> {
  const folder: Folder = await temporaryFolder();
  const path = join(folder.path, 'disk');
  await mkdir(path);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { encoding: 'utf8' });
  if (mount.status !== 0) {
    await folder[Symbol.asyncDispose]();
    return null;
  }
  return {
    path,
    fill: async () => {
      for (let size = 16 * MEGA; size >= 1; size = Math.floor(size / 2))
        await writeFile(join(path, `filler-${size}`), Buffer.alloc(size)).catch(() => {});
    },
    [Symbol.asyncDispose]: async () => {
      spawnSync('umount', [path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

const small = await smallDisk();
await small?.[Symbol.asyncDispose]();
if (small === null)
  process.stderr.write(
    'No small disk could be mounted here: the full disk is tried by a limit of file size alone.\n',
  );

describe.skipIf(small === null)('a store on a disk that fills up while it fetches', () => {
  it('removes what it has of it, says so, serves what it has, and fetches again once there is room', async () => {
    await using disk = await smallDisk();
    if (disk === null) throw new Error('the disk was there a moment ago');
    const [kept, next] = [nthObject(0, MEGA), nthObject(1, 8 * MEGA)];
    let isFilling = false;
    await using it = await storeWorld({
      directory: join(disk.path, 'artifacts'),
      source: {
        download: async (object, write) => {
          const { bytes } = object.digest === kept.object.digest ? kept : next;
          await write(bytes.subarray(0, bytes.length / 2));
          if (isFilling) await disk.fill();
          await write(bytes.subarray(bytes.length / 2));
        },
      },
    });
    const path = await it.store.ensure(kept.object, never);
    isFilling = true;

    const error = await it.store.ensure(next.object, never).catch(caught => caught);

    expect(error).toMatchObject({ code: 'E_DISK_FULL', message: expect.stringContaining('Free some space') });
    expect(error.message).not.toContain(disk.path);
    expect(await it.names('incoming')).toEqual([]);
    expect(await it.store.has(next.object.digest)).toBe(false);
    expect(it.warnings).toEqual(['the disk has no room for an artifact']);
    expect(await it.store.ensure(kept.object, never)).toBe(path);
    expect((await readFile(path)).equals(kept.bytes)).toBe(true);

    isFilling = false;
    for (let size = 16 * MEGA; size >= 1; size = Math.floor(size / 2))
      await rm(join(disk.path, `filler-${size}`), { force: true });
    await it.store.ensure(next.object, never);
  });

  it('makes room by what nobody needs before it fetches', async () => {
    await using disk = await smallDisk();
    if (disk === null) throw new Error('the disk was there a moment ago');
    const objects = [0, 1, 2].map(nth => nthObject(nth, 5 * MEGA));
    const [pinned, other, next] = objects as [(typeof objects)[0], (typeof objects)[0], (typeof objects)[0]];
    await using it = await storeWorld({
      directory: join(disk.path, 'artifacts'),
      reserveBytes: 2 * MEGA,
      pins: () => [pinned.object],
    });
    it.bytes = new Map(objects.map(({ object, bytes }) => [object.digest, bytes]));
    await it.store.ensure(pinned.object, never);
    await it.store.ensure(other.object, never);
    it.clock.advance(3_600_000);

    await it.store.ensure(next.object, never);

    expect((await it.names('objects')).sort()).toEqual([pinned.object.digest, next.object.digest].sort());
    expect(it.infos).toEqual(['removed an artifact that nothing needs, for room']);
  });
});

describe('a store whose process may write no large file', () => {
  it('removes what it has of it and names the disk', async () => {
    await using folder = await temporaryFolder();
    const directory = join(folder.path, 'artifacts');
    const program = new URL('./store.process.fixture.ts', import.meta.url).pathname;
    const child = spawn(
      'prlimit',
      [`--fsize=${4 * MEGA}`, process.execPath, program, directory, String(8 * MEGA), 'never'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    child.stderr.on('data', chunk => {
      said += String(chunk);
    });

    const [code] = await once(child, 'close');

    expect(code).not.toBe(0);
    expect(said).toContain('E_DISK_FULL');
    await using it = await storeWorld({ directory });
    expect(await it.names('incoming')).toEqual([]);
    expect(it.warnings).toEqual([]);
  });
});
