import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LfsObject } from '../repository.ts';
import { objectOf } from './artifact.contract.ts';
import { type StoreWorld, storeWorld, until } from './store.fixture.ts';
import type { ArtifactStoreSettings } from './store.ts';

const never = new AbortController().signal;
const DAY_MS = 24 * 60 * 60_000;
const READ = 'read the artifacts through';
const ASIDE = 'set aside an artifact with the wrong bytes';

interface World extends StoreWorld {
  objects: LfsObject[];
  path(index: number): string;
}

/** Three objects of a million bytes each. */
async function filled(settings: Partial<ArtifactStoreSettings> = {}): Promise<World> {
  const contents = [...'abc'].map(letter => Buffer.alloc(1_000_000, letter));
  const it = await storeWorld(settings);
  it.bytes = new Map(contents.map(content => [objectOf(content).digest, content]));
  const objects = contents.map(objectOf).sort((a, b) => (a.digest < b.digest ? -1 : 1));
  for (const object of objects) await it.store.ensure(object, never);
  const path = (index: number): string => {
    const { digest = '' } = objects[index] ?? {};
    return join(it.directory, 'objects', digest.slice(0, 2), digest.slice(2, 4), digest);
  };
  return Object.assign(it, { objects, path });
}

async function flip(path: string): Promise<Buffer> {
  const bytes = (await readFile(path)).fill('x', 1000, 1001);
  await writeFile(path, bytes);
  return bytes;
}

describe('scrubbing', () => {
  it('reads everything once a day, by the clock that it was given', async () => {
    await using it = await filled();
    await flip(it.path(0));
    it.clock.advance(DAY_MS - 60_000);
    expect(it.infos).toEqual([]);

    it.clock.advance(60_000);
    await until(() => it.infos.includes(READ));
    await flip(it.path(1));
    it.clock.advance(DAY_MS);
    await until(() => it.infos.length === 2);

    expect(it.warnings).toEqual([ASIDE, ASIDE]);
  });

  it('takes as long as its pace says', async () => {
    await using it = await filled({ scrub: { bytesPerSecond: 500_000 } });

    const report = await it.store.scrub(never);

    const sleptMs = it.clock.slept.reduce((sum, ms) => sum + ms, 0);
    expect(report).toEqual({ objects: 3, spoilt: [], missing: [] });
    expect(sleptMs).toBeGreaterThan(5_000);
    expect(sleptMs).toBeLessThanOrEqual(6_000);
  });

  it.each<[string, (path: string) => Promise<unknown>]>([
    ['has another byte', flip],
    ['was cut short', path => truncate(path, 10)],
  ])('sets aside what %s and fetches it again where it is pinned', async (_, harm) => {
    const pinned: LfsObject[] = [];
    await using it = await filled({ pins: () => pinned });
    pinned.push(...it.objects.slice(0, 2));
    await harm(it.path(0));
    await harm(it.path(2));
    const [first, , third] = it.objects;

    const report = await it.store.scrub(never);

    expect(report).toEqual({ objects: 3, spoilt: [first?.digest, third?.digest], missing: [] });
    expect(objectOf(await readFile(it.path(0)))).toEqual(first);
    expect(await it.store.has(third?.digest as LfsObject['digest'])).toBe(false);
    expect((await it.names('quarantine')).sort()).toEqual([first?.digest, third?.digest]);
    expect(it.warnings).toEqual([ASIDE, ASIDE]);
  });

  it('brings what is pinned and not here, and says what it can not bring', async () => {
    const pinned: LfsObject[] = [];
    await using it = await filled({ pins: () => pinned });
    await rm(it.path(0));
    const nowhere = objectOf(Buffer.from('in no source'));
    pinned.push(nowhere, ...it.objects);

    const report = await it.store.scrub(never);

    expect(report.missing).toEqual([nowhere.digest]);
    expect(objectOf(await readFile(it.path(0)))).toEqual(it.objects[0]);
  });

  it('goes on behind where it was when its process ended', async () => {
    await using it = await filled({ scrub: { bytesPerSecond: 20_000 } });
    const [first, second] = it.objects;
    await flip(it.path(0));
    // The pace makes a minute of each object; the second is never read through.
    const slowly = new AbortController();
    const cut = it.store.scrub(slowly.signal);
    await until(async () =>
      (await readFile(join(it.directory, 'scrub.json'), 'utf8')).includes(first?.digest ?? '?'),
    );
    slowly.abort(new Error('killed'));
    await expect(cut).rejects.toThrow('killed');
    await flip(it.path(1));
    const { sizeBytes } = second as LfsObject;
    await it.reopen();

    await until(() => it.infos.includes(READ));

    expect(it.warnings).toEqual([ASIDE, ASIDE]);
    expect((await it.names('quarantine')).sort()).toEqual([first?.digest, second?.digest].sort());
    expect((await it.store.inspect()).totalBytes).toBe(sizeBytes);
  });

  it('ends at once when the store is closed, and leaves nothing open', async () => {
    await using it = await filled({ scrub: { bytesPerSecond: 1 } });
    const scrubbing = it.store.scrub(never);

    await Promise.all([expect(scrubbing).rejects.toThrow(), it.store[Symbol.asyncDispose]()]);
  });
});
