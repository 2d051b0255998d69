import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CommitSha } from '@switchback-ml/schemas';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import { gitWorld } from './git-world.fixture.ts';
import { Writers } from './writers.ts';

const MAIN = 'refs/heads/main';
const signal = AbortSignal.timeout(240_000);
const author = { name: 'Ada', email: 'ada@example.org' };
const LEFT = [
  'index.lock',
  'packed-refs.lock',
  'config.lock',
  'HEAD.lock',
  'shallow.lock',
  'refs/remotes/origin/main.lock',
  'objects/info/commit-graph.lock',
  'objects/pack/multi-pack-index.lock',
  'objects/pack/tmp_pack_x1',
  'objects/pack/tmp_idx_x1',
  'objects/pack/.tmp-17-pack-x.pack',
];

describe('A clone whose git was killed', () => {
  it('opens over whatever locks and halves a killed git left, and fetches', async () => {
    await using world = await gitWorld();
    const person = await world.open();
    const edits = new Map([['a.yaml', 'a']]);
    const commit = await person.commit({ parent: null, edits, message: 'm', author, at: 0 }, signal);
    await person.push(MAIN, null, commit, signal);
    const directory = join(world.folder, 'killed');
    const before = await world.openWith({ directory });
    await before.fetch(MAIN, signal);
    await before[Symbol.asyncDispose]();
    const hourAgo = Date.now() / 1000 - 3600;
    for (const name of LEFT) {
      const path = join(directory, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'half');
      await utimes(path, hourAgo, hourAgo);
    }

    const again = await world.openWith({ directory });
    expect(await leftIn(directory)).toEqual([]);
    expect(await again.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit });
    expect(await again.diff(null, commit as CommitSha, signal)).toHaveLength(1);
  });

  it('opens even over a lock of a moment ago, since nobody else opens it', async () => {
    await using world = await gitWorld();
    const directory = join(world.folder, 'killed');
    await (await world.openWith({ directory }))[Symbol.asyncDispose]();
    await writeFile(join(directory, 'config.lock'), '');

    const again = await world.openWith({ directory });
    expect(await leftIn(directory)).toEqual([]);
    expect(await again.fetch(MAIN, signal)).toEqual({ kind: 'empty' });
  });
});

describe('Writers', () => {
  it('remove what a killed one left only when no other writes', async () => {
    await using world = await gitWorld();
    const half = join(world.bare, 'objects/pack/tmp_pack_x1');
    await mkdir(dirname(half), { recursive: true });
    await writeFile(half, 'half');
    const writers = new Writers({ directory: world.bare, clock: systemClock });
    const gate = Promise.withResolvers<{ wasKilled: boolean }>();
    const other = writers.write(() => gate.promise);

    await expect(writers.write(() => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    expect(await leftIn(world.bare)).toEqual(['objects/pack/tmp_pack_x1']);
    gate.resolve({ wasKilled: false });
    await other;
    expect(await leftIn(world.bare)).toEqual([]);
  });
});

async function leftIn(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return names.filter(name => name.endsWith('.lock') || /\/\.?tmp[-_]/.test(name));
}
