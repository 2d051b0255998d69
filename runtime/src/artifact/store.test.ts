import { link, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactDigest } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from './artifact.contract.ts';
import { type ArtifactStore, type ArtifactStoreSettings, openArtifactStore } from './store.ts';

const HOUR_MS = 60 * 60_000;
const KILO = 1000;

let folder: string;
let now: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-store-'));
  now = Date.parse('2026-01-01T00:00:00Z');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function open(settings: Partial<ArtifactStoreSettings> = {}): Promise<ArtifactStore> {
  return openArtifactStore({ folder, clock: { now: () => now }, reserveBytes: 0, ...settings });
}

const bytesOf = (letter: string): Buffer => Buffer.alloc(KILO, letter);
const digestOf = (letter: string): ArtifactDigest => ArtifactDigest.parse(sha256(bytesOf(letter)));
const wanted = (letter: string) => ({ sha256: digestOf(letter), size: KILO });

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Files of a thousand bytes each, pulled an hour apart. */
async function pull(store: ArtifactStore, letters: string): Promise<void> {
  for (const letter of letters) {
    await store.write(wanted(letter), once(bytesOf(letter)));
    now += HOUR_MS;
  }
}

async function here(letters = 'abcdefxyz'): Promise<string> {
  const names = await readdir(folder);
  return [...letters].filter(letter => names.includes(digestOf(letter))).join('');
}

describe('the budget of the artifacts of a runtime', () => {
  test('is kept by removing what no snapshot names, the longest unused first', async () => {
    const store = await open({ budgetBytes: 3 * KILO });
    await pull(store, 'abcde');
    await store.find(wanted('b'));
    now += HOUR_MS;

    await store.keepOnly(new Set([digestOf('a')]));

    expect(await here()).toBe('abe');
  });

  test('never costs what is named, even where that alone is over it', async () => {
    const store = await open({ budgetBytes: KILO });
    await pull(store, 'abcd');

    await store.keepOnly(new Set([digestOf('a'), digestOf('b'), digestOf('c')]));

    expect(await here()).toBe('abc');
  });

  test('costs nothing before a snapshot was applied', async () => {
    const store = await open({ budgetBytes: 0 });

    await pull(store, 'abc');

    expect(await here()).toBe('abc');
  });

  test('does not cost what is about to be loaded', async () => {
    const store = await open({ budgetBytes: 0 });
    await pull(store, 'ab');
    await store.find(wanted('a'));

    await store.keepOnly(new Set());

    expect(await here()).toBe('a');
  });

  test('leaves alone what it did not put there', async () => {
    const store = await open({ budgetBytes: 0 });
    await writeFile(join(folder, 'notes.txt'), 'a person put me here');

    await store.keepOnly(new Set());

    expect(await readdir(folder)).toEqual(['notes.txt']);
  });

  test('remembers uses over a restart', async () => {
    await pull(await open(), 'abc');
    const store = await open({ budgetBytes: KILO });
    await store.find(wanted('a'));
    now += HOUR_MS;

    await store.keepOnly(new Set());

    expect(await here()).toBe('a');
  });
});

describe('a disk without room for an artifact', () => {
  test('is made room on by what no snapshot names, and then said to be full', async () => {
    await pull(await open(), 'abc');
    // More than any disk has.
    const store = await open({ reserveBytes: 1e18 });
    await store.keepOnly(new Set([digestOf('b')]));

    const written = store.write(wanted('x'), once(bytesOf('x')));

    await expect(written).rejects.toMatchObject({
      code: 'E_ARTIFACT_PULL',
      message: expect.stringMatching(/no room.*Free some space/),
      details: { disk: 'ENOSPC' },
    });
    expect(await readdir(folder)).toEqual([digestOf('b')]);
  });

  test('leaves nothing half written, and no path in the message', async () => {
    const store = await open();
    const full = Object.assign(new Error(`ENOSPC: no space left on device, open '${folder}/x'`), {
      syscall: 'write',
      code: 'ENOSPC',
    });
    async function* filling(): AsyncGenerator<Uint8Array> {
      yield bytesOf('x').subarray(0, 10);
      throw full;
    }

    const error = await store.write(wanted('x'), filling()).catch(caught => caught);

    expect(error).toMatchObject({ code: 'E_ARTIFACT_PULL', cause: full });
    expect(error.message).not.toContain(folder);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a file that is not ours', () => {
  test.each<[string, (path: string, other: string) => Promise<void>]>([
    ['a symbolic link', (path, other) => symlink(other, path)],
    ['a hard link', (path, other) => link(other, path)],
  ])('%s to the right bytes is not taken for the artifact', async (_, make) => {
    const store = await open();
    const other = join(folder, 'elsewhere');
    await writeFile(other, bytesOf('a'));
    await make(join(folder, digestOf('a')), other);

    expect(await store.find(wanted('a'))).toBeNull();

    expect(await readFile(other)).toEqual(bytesOf('a'));
    expect(await here()).toBe('');
  });
});

describe('what an earlier life left', () => {
  test('half written is cleared when the folder is opened', async () => {
    await writeFile(join(folder, `${'a'.repeat(64)}.5f0c4ee4.part`), 'half');

    await open();

    expect(await readdir(folder)).toEqual([]);
  });
});
