import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { BlobId, CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFile } from '../read-file.ts';
import { boastingPack, forgedRemote } from './forged-remote.fixture.ts';
import { type GitWorld, gitWorld } from './git-world.fixture.ts';
import { type MoodyRemote, moodyRemote } from './moody-remote.fixture.ts';
import { processesWith } from './processes.fixture.ts';

const MAIN = 'refs/heads/main';
const signal = AbortSignal.timeout(240_000);

describe('A hostile remote', () => {
  let world: GitWorld;
  let remote: MoodyRemote;
  let good: CommitSha;

  beforeEach(async () => {
    world = await gitWorld(() => remote.url);
    remote = await moodyRemote(world.bare);
    good = await commitTree({ 'model.yaml': 'good\n' });
  });
  afterEach(async () => {
    await remote[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const bare = (args: string[], input: string | Buffer = ''): Promise<string> =>
    world.git(args, { cwd: world.bare, input });
  async function commitTree(files: Record<string, string | Buffer>, parent?: string): Promise<CommitSha> {
    const lines: string[] = [];
    for (const [name, content] of Object.entries(files))
      lines.push(`100644 blob ${await bare(['hash-object', '-w', '--stdin'], content)}\t${name}`);
    const tree = await bare(['mktree'], `${lines.join('\n')}\n`);
    const commit = await bare(['commit-tree', tree, '-m', 'x', ...(parent ? ['-p', parent] : [])]);
    await bare(['update-ref', MAIN, commit]);
    return commit as CommitSha;
  }

  it('is cut off when it sends more than one fetch may bring, and what it sent is removed', async () => {
    const directory = join(world.folder, 'watched');
    const repository = await world.openWith({ directory, limits: { packBytes: 100_000 } });
    await repository.fetch(MAIN, signal);
    await commitTree({ 'model.onnx': randomBytes(4_000_000) }, good);
    // It goes on for ever, as far as anybody can see.
    remote.stopsAfter = 1_000_000;

    await expect(repository.fetch(MAIN, signal)).rejects.toMatchObject({
      code: 'E_GIT_TOO_LARGE',
      message: expect.stringContaining('Git LFS'),
    });
    expect((await readdir(join(directory, 'objects/pack'))).filter(name => name.includes('tmp'))).toEqual([]);
    expect(processesWith(directory)).toEqual([]);
    expect(await repository.recall(MAIN, signal)).toEqual({ kind: 'commit', commit: good });
    expect(await repository.diff(null, good, signal)).toHaveLength(1);
  });

  it('is not asked for a pack again with every look once that was refused', async () => {
    const repository = await world.open();
    await repository.fetch(MAIN, signal);
    const blob = await bare(['hash-object', '-w', '--stdin'], 'evil');
    const tree = await bare(
      ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'],
      Buffer.concat([Buffer.from('100644 ..\0'), Buffer.from(blob, 'hex')]),
    );
    await bare(['update-ref', MAIN, await bare(['commit-tree', tree, '-p', good, '-m', 'evil'])]);
    const packsAsked = (): number => remote.asked.filter(({ body }) => body.includes('command=fetch')).length;

    await expect(repository.fetch(MAIN, signal)).rejects.toMatchObject({ code: 'E_GIT_OBJECT' });
    const before = packsAsked();
    await expect(repository.fetch(MAIN, signal)).rejects.toMatchObject({ code: 'E_GIT_OBJECT' });
    expect(packsAsked()).toBe(before);
    const mended = await commitTree({ 'model.yaml': 'mended\n' }, good);
    expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: mended });
  });

  it('may have a million refs: one is asked for, and a few bytes come', async () => {
    const refs = Array.from(
      { length: 1_000_000 },
      (_, i) => `${good} refs/pull/${`${i}`.padStart(7, '0')}/head`,
    );
    await writeFile(
      join(world.bare, 'packed-refs'),
      `# pack-refs with: peeled fully-peeled sorted \n${refs.join('\n')}\n`,
    );

    for (const environment of [{}, { SOME_TOKEN: 'hunter22hunter22' }]) {
      const repository = await world.openWith({ environment });
      remote.sentBytes = 0;
      expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: good });
      expect(await repository.fetch('refs/switchback/history', signal)).toEqual({ kind: 'empty' });
      expect(remote.sentBytes).toBeLessThan(10_000);
    }
  });

  it('may have a hundred thousand branches that begin like ours', async () => {
    const refs = Array.from({ length: 100_000 }, (_, i) => `${good} ${MAIN}-${`${i}`.padStart(6, '0')}`);
    await writeFile(
      join(world.bare, 'packed-refs'),
      `# pack-refs with: peeled fully-peeled sorted \n${refs.join('\n')}\n`,
    );

    const repository = await world.open();
    expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: good });
    expect(await repository.fetch('nothing', signal)).toEqual({ kind: 'empty' });
  });

  it('may hold 200 MB in place of a manifest: its size is asked for, and it is refused unread', async () => {
    const repository = await world.open();
    const commit = await commitTree({ 'a.yaml': Buffer.alloc(200 * 2 ** 20, 'x'), 'b.yaml': 'b' }, good);
    expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit });
    const written = (await repository.diff(good, commit, signal)).filter(change => change.blob !== null);
    const before = process.memoryUsage().rss;
    const files = await Promise.all(
      written.map(change => readFile(repository, { ...change, blob: change.blob as BlobId }, signal)),
    );

    expect(files).toMatchObject([
      { kind: 'refused', code: 'E_MANIFEST_TOO_LARGE' },
      { kind: 'manifest', text: 'b' },
    ]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  it('does not get more memory by saying that a small object is large', async () => {
    const pack = boastingPack('tree', 3 * 1024 ** 3, deflateSync(Buffer.alloc(1000)));
    await using forged = await forgedRemote('1'.repeat(40), pack);
    const repository = await world.openWith({ url: forged.url });

    await expect(repository.fetch(MAIN, signal)).rejects.toMatchObject({ code: 'E_GIT_TOO_LARGE' });
    expect(forged.packsSent).toBe(1);
    await expect(repository.fetch(MAIN, signal)).rejects.toMatchObject({ code: 'E_GIT_TOO_LARGE' });
    expect(forged.packsSent).toBe(1);
  });

  it.each([
    ['a pack that is none', Buffer.from('<html>')],
    [
      'a pack with nothing in it',
      Buffer.from(
        'PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e',
        'latin1',
      ),
    ],
    [
      'a pack without the commit that it was asked for',
      boastingPack('blob', 4, deflateSync(Buffer.from('evil'))),
    ],
  ])('is not believed with %s', async (_, pack) => {
    await using forged = await forgedRemote('1'.repeat(40), pack);
    const repository = await world.openWith({ url: forged.url });

    const error = await repository.fetch(MAIN, signal).then(
      () => null,
      failure => failure,
    );
    expect(error?.code).toMatch(/^E_GIT_(?:UNREACHABLE|OBJECT|DAMAGED)$/);
    expect(await repository.recall(MAIN, signal)).toEqual({ kind: 'empty' });
  });

  it('is told apart when it is empty, has no such branch, or holds no commit there', async () => {
    const repository = await world.open();
    await bare(['update-ref', '-d', MAIN]);
    expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'empty' });
    await bare(['update-ref', 'refs/heads/other', good]);
    expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'empty' });

    const blob = await bare(['hash-object', '-w', '--stdin'], 'no commit');
    await writeFile(join(world.bare, 'refs/heads/main'), `${blob}\n`);
    await expect(repository.fetch(MAIN, signal)).rejects.toMatchObject({ code: 'E_GIT_REF' });
  });

  it('says what to do when its own history is shallow, first and later', async () => {
    const second = await commitTree({ 'model.yaml': 'two\n' }, good);
    const repository = await world.open();
    const late = await world.open();
    await repository.fetch(MAIN, signal);
    const third = await commitTree({ 'model.yaml': 'three\n' }, second);
    await writeFile(join(world.bare, 'shallow'), `${third}\n`);

    for (const one of [repository, late]) {
      await expect(one.fetch(MAIN, signal)).rejects.toMatchObject({
        code: 'E_GIT_OBJECT',
        message: expect.stringContaining('git fetch --unshallow'),
      });
    }
    expect(await repository.recall(MAIN, signal)).toEqual({ kind: 'commit', commit: second });
  });

  it('may move its tags, also one named like the branch: none is ever fetched or followed', async () => {
    const repository = await world.open();
    const second = await commitTree({ 'model.yaml': 'two\n' }, good);
    for (const tag of ['main', 'v1', 'refs/heads/main']) await bare(['tag', '-m', 'x', tag, good]);
    expect(await repository.fetch('main', signal)).toEqual({ kind: 'commit', commit: second });
    for (const tag of ['main', 'v1', 'refs/heads/main']) await bare(['tag', '-f', '-m', 'y', tag, second]);

    expect(await repository.fetch('main', signal)).toEqual({ kind: 'commit', commit: second });
    const clone = join(world.folder, 'clone-0');
    expect(await world.git(['for-each-ref', '--format=%(refname)'], { cwd: clone })).toBe(
      'refs/remotes/origin/main',
    );
    expect(await world.git(['count-objects'], { cwd: clone })).toMatch(/^0 objects/);
  });
});
