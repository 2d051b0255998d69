import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LfsObject } from '../repository.ts';
import { objectOf } from './artifact.contract.ts';
import { type StoreWorld, storeWorld } from './store.fixture.ts';
import type { ArtifactStoreSettings } from './store.ts';

const never = new AbortController().signal;
const HOUR_MS = 60 * 60_000;
const KILO = 1000;

interface World extends StoreWorld {
  objects: LfsObject[];
  /** Digests on the disk, as the letters of the objects. */
  here(): Promise<string>;
}

/** Five objects of a thousand bytes each, `a` to `e`, fetched an hour apart. */
async function filled(settings: Partial<ArtifactStoreSettings> = {}, letters = 'abcde'): Promise<World> {
  const contents = [...letters].map(letter => Buffer.alloc(KILO, letter));
  const objects = contents.map(objectOf);
  const it = await storeWorld(settings);
  it.bytes = new Map(contents.map((content, index) => [objects[index]?.digest ?? '', content]));
  for (const object of objects) {
    await it.store.ensure(object, never);
    it.clock.advance(HOUR_MS);
  }
  const here = async (): Promise<string> => {
    const names = await it.names('objects');
    return [...letters].filter((_, index) => names.includes(objects[index]?.digest ?? '')).join('');
  };
  return Object.assign(it, { objects, here });
}

const nth = ({ objects }: World, index: number): LfsObject => objects[index] as LfsObject;

describe('the budget of artifactStore', () => {
  it('is kept by removing what was not asked for the longest', async () => {
    await using it = await filled({ budgetBytes: 3 * KILO, pins: () => [] });

    expect(await it.here()).toBe('cde');
    expect(await it.store.inspect()).toMatchObject({ objects: 3, totalBytes: 3 * KILO });
  });

  it('counts being asked for as a use, also over a restart', async () => {
    await using it = await filled({ budgetBytes: 4 * KILO, pins: () => [] }, 'abcd');
    await it.store.ensure(nth(it, 0), never);
    await it.reopen();
    it.clock.advance(HOUR_MS);
    const more = Buffer.alloc(2 * KILO, 'x');
    it.bytes = more;

    await it.store.ensure(objectOf(more), never);

    expect(await it.here()).toBe('ad');
  });

  it('never costs what is pinned, even where that alone is over it, and says so once', async () => {
    const pinned: LfsObject[] = [];
    await using it = await filled({ budgetBytes: 2 * KILO, pins: () => pinned }, 'ab');
    pinned.push(...it.objects);
    for (const letter of 'xyz') {
      it.bytes = Buffer.alloc(KILO, letter);
      await it.store.ensure(objectOf(it.bytes), never);
      it.clock.advance(HOUR_MS);
    }

    expect(await it.here()).toBe('ab');
    expect(await it.store.inspect()).toMatchObject({ objects: 3 });
    expect(it.warnings).toEqual([expect.stringContaining('larger than the budget')]);
  });

  it('costs nothing while nobody knows yet what is pinned', async () => {
    await using it = await filled({ budgetBytes: KILO, pins: () => null });

    expect(await it.here()).toBe('abcde');
    expect(it.warnings).toEqual([]);
  });

  it('does not cost what somebody was given a moment ago', async () => {
    await using it = await filled({ budgetBytes: 2 * KILO, pins: () => [] }, 'ab');
    const path = await it.store.ensure(nth(it, 0), never);
    const more = Buffer.alloc(2 * KILO, 'x');
    it.bytes = more;

    await it.store.ensure(objectOf(more), never);

    expect(await it.here()).toBe('a');
    expect(await readFile(path)).toEqual(Buffer.alloc(KILO, 'a'));
  });

  it('fetches again what was removed when it is asked for', async () => {
    await using it = await filled({ budgetBytes: 3 * KILO, pins: () => [] });
    const before = it.downloads;

    const path = await it.store.ensure(nth(it, 0), never);

    expect(await readFile(path)).toEqual(Buffer.alloc(KILO, 'a'));
    expect(it.downloads).toBe(before + 1);
  });
});

describe('a disk without room', () => {
  it('is made room on by what nobody needs, half, wrong and unpinned, and not by what is pinned', async () => {
    const pinned: LfsObject[] = [];
    // The reserve is more than any disk has free, so that there is always room to be made.
    await using it = await filled({ pins: () => pinned }, 'abc');
    pinned.push(nth(it, 1));
    it.bytes = Buffer.alloc(KILO, 'z');
    const wrong = { ...objectOf(Buffer.alloc(KILO, 'w')) };
    await it.store.ensure(wrong, never).catch(() => {});
    expect(await it.names('quarantine')).toEqual([wrong.digest]);
    await it.store[Symbol.asyncDispose]();
    await using full = await storeWorld({
      directory: it.directory,
      clock: it.clock,
      pins: () => pinned,
      reserveBytes: 1e18,
    });
    await writeFile(join(it.directory, 'incoming', 'stray'), 'x');

    const asked = full.store.ensure(objectOf(Buffer.alloc(KILO, 'y')), never);

    await expect(asked).rejects.toMatchObject({ code: 'E_DISK_FULL' });
    expect(full.downloads).toBe(0);
    expect(await it.here()).toBe('b');
    expect(await it.names('incoming')).toEqual([]);
    expect(await it.names('quarantine')).toEqual([]);
    expect(full.warnings).toEqual(['the disk has no room for an artifact']);
  });
});

describe('the quarantine of artifactStore', () => {
  it('holds the newest few, whatever comes', async () => {
    await using it = await storeWorld();
    const digests: string[] = [];
    for (let at = 0; at < 12; at++) {
      it.bytes = Buffer.from('never what was asked for');
      const object = objectOf(Buffer.from(`object ${at}, of any length`));
      digests.push(object.digest);
      await it.store.ensure({ ...object, sizeBytes: 24 }, never).catch(() => {});
      it.clock.advance(1000);
    }

    expect((await it.names('quarantine')).sort()).toEqual(digests.slice(-8).sort());
    expect((await it.store.inspect()).quarantined).toHaveLength(8);
  });
});

describe('an artifact that was changed on the disk', () => {
  it('is noticed at the next question, in the same size and with the time set back', async () => {
    await using it = await filled({}, 'a');
    const path = await it.store.ensure(nth(it, 0), never);
    const flipped = Buffer.alloc(KILO, 'a').fill('b', 500, 501);
    await writeFile(path, flipped);
    await utimes(path, it.clock.now() / 1000, it.clock.now() / 1000);

    await it.store.ensure(nth(it, 0), never);

    expect(await readFile(path)).toEqual(Buffer.alloc(KILO, 'a'));
    expect(await readFile(join(it.directory, 'quarantine', nth(it, 0).digest))).toEqual(flipped);
    expect(it.downloads).toBe(2);
  });
});
