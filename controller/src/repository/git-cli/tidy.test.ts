import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobId, CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import type { Repository } from '../repository.ts';
import { BlobReader } from './blob-reader.ts';
import { type GitWorld, gitWorld } from './git-world.fixture.ts';
import { processesWith } from './processes.fixture.ts';
import { type Git, gitRunner } from './run.ts';
import { looseObjects, packCount } from './sweep.ts';
import { tidier } from './tidy.ts';
import { Writers } from './writers.ts';

const MAIN = 'refs/heads/main';
const signal = AbortSignal.timeout(240_000);
const author = { name: 'Ada', email: 'ada@example.org' };

describe('The clone, as it grows', () => {
  let world: GitWorld;
  let person: Repository;
  let head: CommitSha | null;

  beforeEach(async () => {
    world = await gitWorld();
    person = await world.open();
    head = null;
  });
  afterEach(() => world[Symbol.asyncDispose]());

  async function push(text: string): Promise<CommitSha> {
    const edits = new Map([['models/a/model.yaml', text]]);
    const commit = await person.commit({ parent: head, edits, message: text, author, at: 0 }, signal);
    expect(await person.push(MAIN, head, commit, signal)).toEqual({ kind: 'pushed' });
    head = commit;
    return commit;
  }

  it('keeps its packs few, loses no object, and goes on reading through it all', async () => {
    const clone = join(world.folder, 'grown');
    const repository = await world.openWith({ directory: clone, limits: { packs: 3, loose: 2_000 } });
    await push('0');
    await repository.fetch(MAIN, signal);
    // Nobody but us knows these yet, and no ref holds them.
    const edits = new Map([['ours.yaml', 'ours']]);
    const ours = await repository.commit({ parent: head, edits, message: 'ours', author, at: 0 }, signal);
    const [blob] = (await repository.diff(head, ours, signal)).map(change => change.blob as BlobId);
    const counts: number[] = [];
    for (let i = 1; i <= 12; i++) {
      await push(`${i}`);
      expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: head });
      expect(await repository.readBlob(blob!, 100, signal)).toMatchObject({ kind: 'bytes' });
      counts.push(await packCount(clone));
    }
    await repository[Symbol.asyncDispose]();

    expect(Math.max(...counts)).toBeLessThanOrEqual(6);
    expect(await world.git(['rev-list', '--count', 'refs/remotes/origin/main'], { cwd: clone })).toBe('13');
    expect(await world.git(['cat-file', '-t', ours], { cwd: clone })).toBe('commit');
    await world.git(['fsck', '--full', '--strict'], { cwd: clone });
    expect(processesWith(clone)).toEqual([]);
    expect((await readdir(join(clone, 'objects/pack'))).filter(name => name.includes('tmp'))).toEqual([]);
  });

  it('gathers loose objects too, those that no ref holds as well', async () => {
    const clone = join(world.folder, 'loose');
    const repository = await world.openWith({ directory: clone, limits: { packs: 50, loose: 5 } });
    let ours: CommitSha | null = null;
    for (const text of ['a', 'b', 'c'])
      ours = await repository.commit(
        { parent: ours, edits: new Map([['x', text]]), message: text, author, at: 0 },
        signal,
      );
    expect(await looseObjects(clone, 0)).toBe(9);
    await push('0');
    await repository.fetch(MAIN, signal);

    await expect.poll(() => looseObjects(clone, 0), { timeout: 20_000 }).toBe(0);
    expect(await repository.history(null, ours!, signal)).toHaveLength(3);
  });

  it('tidies once at a time, behind everything else, and stops when it is closed', async () => {
    const asked: Parameters<Git['run']>[0][] = [];
    const begun = Promise.withResolvers<void>();
    const git = {
      run: request => {
        asked.push(request);
        begun.resolve();
        return new Promise((_, reject) =>
          request.signal.addEventListener('abort', () => reject(request.signal.reason), { once: true }),
        );
      },
    } as Git;
    await push('0');
    const settings = { git, directory: world.bare, clock: systemClock, onTidied: () => {} };
    const writers = new Writers({ directory: world.bare, clock: systemClock });
    const tidy = tidier({ ...settings, limits: { packs: -1, loose: 0 }, writers });
    tidy.kick();
    tidy.kick();
    await begun.promise;
    tidy.kick();
    await tidy[Symbol.asyncDispose]();
    tidy.kick();
    await tidy.idle();

    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ isBackground: true });
    expect(asked[0]!.args).not.toContain('-a');
  });

  it('leaves a clone alone for a while that it could not tidy', async () => {
    let now = 0;
    let runs = 0;
    const warnings: string[] = [];
    const git = {
      run: async () => {
        runs += 1;
        throw new Error('No space left on device');
      },
    } as unknown as Git;
    const clock = { ...systemClock, now: () => now };
    const writers = new Writers({ directory: world.bare, clock });
    const limits = { packs: -1, loose: 0 };
    const log = { warn: (_: object, message: string) => void warnings.push(message) };
    const settings = { git, directory: world.bare, clock, limits, writers, log, onTidied: () => {} };
    await using tidy = tidier(settings);
    for (const at of [0, 1_000, 599_000, 600_000]) {
      now = at;
      tidy.kick();
      await tidy.idle();
    }

    expect(runs).toBe(2);
    expect(warnings).toHaveLength(2);
  });
});

describe('BlobReader', () => {
  it('answers what is under way before another process takes over', async () => {
    await using world = await gitWorld();
    const repository = await world.open();
    const edits = new Map(Array.from({ length: 40 }, (_, i) => [`f${i}`, `${i}`.repeat(5_000)]));
    const commit = await repository.commit({ parent: null, edits, message: 'm', author, at: 0 }, signal);
    const changes = await repository.diff(null, commit, signal);
    const git = gitRunner({
      directory: join(world.folder, 'clone-0'),
      home: world.folder,
      environment: { PATH: process.env['PATH'] ?? '' },
      secrets: [],
    });
    let started = 0;
    await using reader = new BlobReader({
      ...git,
      start: args => {
        started += 1;
        return git.start(args);
      },
    });

    const read = changes.map(({ blob }) => reader.read(blob!, 1_000_000, signal));
    reader.restart();
    expect((await Promise.all(read)).every(({ kind }) => kind === 'bytes')).toBe(true);
    reader.restart();
    expect(await reader.read(changes[0]!.blob!, 1_000_000, signal)).toMatchObject({ kind: 'bytes' });
    expect(started).toBeGreaterThan(1);
  });
});
