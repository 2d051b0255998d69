import { chmod, mkdir, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { heldClock, silentLog } from '../poller.fixture.ts';
import { RepositoryPoller } from '../poller.ts';
import type { Repository } from '../repository.ts';
import { damaged, judgeWords } from './damage.ts';
import { type GitWorld, gitWorld } from './git-world.fixture.ts';
import { makeLanes } from './lanes.ts';
import { renewal } from './renewal.ts';
import type { Git } from './run.ts';

const MAIN = 'refs/heads/main';
const signal = AbortSignal.timeout(240_000);
const author = { name: 'Ada', email: 'ada@example.org' };
/** Larger than git's own small change, so that a broken byte is met. */
const manifest = (text: string): string => `# ${text}\n${'owner: somebody\n'.repeat(200)}`;

describe('A clone that is damaged', () => {
  let world: GitWorld;
  let person: Repository;
  let head: CommitSha;
  let clone: string;

  beforeEach(async () => {
    world = await gitWorld();
    person = await world.open();
    head = await push(null, 'one');
    head = await push(head, 'two');
    clone = join(world.folder, 'clone-1');
  });
  afterEach(() => world[Symbol.asyncDispose]());

  async function push(parent: CommitSha | null, text: string): Promise<CommitSha> {
    const edits = new Map([
      ['models/a/model.yaml', manifest(text)],
      ['models/b/model.yaml', manifest('b')],
    ]);
    const commit = await person.commit({ parent, edits, message: text, author, at: 0 }, signal);
    expect(await person.push(MAIN, parent, commit, signal)).toEqual({ kind: 'pushed' });
    return commit;
  }
  async function packOf(folder: string, end: string): Promise<string> {
    const packs = join(folder, 'objects/pack');
    const name = (await readdir(packs)).find(file => file.endsWith(end));
    await chmod(join(packs, name!), 0o644);
    return join(packs, name!);
  }
  function poll(repository: Repository, time: ReturnType<typeof heldClock>): RepositoryPoller {
    return new RepositoryPoller({
      ...{ repository, branch: 'main', historyRef: 'refs/switchback/history', root: '', intervalMs: 1_000 },
      ...{ clock: time.clock, log: silentLog().log, hintDirectory: null },
    });
  }

  const damages: Record<string, (folder: string) => Promise<void>> = {
    'a pack with flipped bytes': async folder => overwrite(await packOf(folder, '.pack'), 40),
    'a pack that is none any more': async folder => overwrite(await packOf(folder, '.pack'), 0),
    'a pack cut short': async folder => truncate(await packOf(folder, '.pack'), 100),
    'a pack without its index': async folder => rm(await packOf(folder, '.idx')),
    'an index cut short': async folder => truncate(await packOf(folder, '.idx'), 500),
    'no packs at all': folder => rm(join(folder, 'objects/pack'), { recursive: true }),
    'a ref of garbage': folder => writeFile(join(folder, 'refs/remotes/origin/main'), 'garbage'),
  };

  it.each(Object.keys(damages))('is made whole again within one look: %s', async damage => {
    const repository = await world.open();
    const time = heldClock();
    await using poller = poll(repository, time);
    await time.rest();
    const before = poller.latest()!;
    expect(before.head).toBe(head);

    await damages[damage]!(clone);
    head = await push(head, 'three');
    time.advance(1_000);
    await time.rest();

    expect(poller.contact().failure).toBeNull();
    expect(poller.latest()!.head).toBe(head);
    expect(poller.latest()!.files.get('models/a/model.yaml')).toMatchObject({ text: manifest('three') });
    expect(poller.latest()!.history.commits.size).toBe(3);
    // git may have got by without it; then the next look replaces the clone.
    time.advance(1_000);
    await time.rest();
    expect(poller.contact().failure).toBeNull();
    await world.git(['fsck', '--full', '--strict'], { cwd: clone });
  });

  it('keeps the view in memory while the remote is away, and is cloned anew when it is back', async () => {
    const repository = await world.open();
    const time = heldClock();
    await using poller = poll(repository, time);
    await time.rest();
    const before = poller.latest();
    await damages['a pack with flipped bytes']!(clone);
    await expect(repository.history(null, head, signal)).rejects.toMatchObject({ code: 'E_GIT_DAMAGED' });
    await world.disconnect();
    time.advance(1_000);
    await time.rest();

    expect(poller.latest()).toBe(before);
    expect(poller.contact().failure).toMatchObject({ code: 'E_GIT_UNREACHABLE', since: 2_000 });
    expect(await readdir(world.folder)).not.toContain('clone-1.damaged');
    await world.connect();
    time.advance(10_000);
    await time.rest();
    expect(poller.contact().failure).toBeNull();
    expect(await repository.history(null, head, signal)).toHaveLength(2);
    expect(await readdir(world.folder)).toContain('clone-1.damaged');
    expect(await readdir(world.folder)).not.toContain('clone-1.fresh');
  });

  it('loses nothing of ours: a commit that was not pushed yet is built again, the very same', async () => {
    const repository = await world.open();
    await repository.fetch(MAIN, signal);
    const ours = { parent: head, edits: new Map([['a.yaml', 'a']]), message: 'ours', author, at: 5_000 };
    const commit = await repository.commit(ours, signal);
    await damages['a pack with flipped bytes']!(clone);
    await expect(repository.commit(ours, signal)).rejects.toMatchObject({ code: 'E_GIT_DAMAGED' });

    await repository.fetch(MAIN, signal);
    expect(await repository.commit(ours, signal)).toBe(commit);
    expect(await repository.push(MAIN, head, commit, signal)).toEqual({ kind: 'pushed' });
  });

  it('is found out by a file that is gone, though everything else can be read', async () => {
    const repository = await world.open();
    await repository.fetch(MAIN, signal);
    const changes = await repository.diff(null, head, signal);
    const { blob } = changes.find(({ path }) => path === 'models/a/model.yaml')!;
    const packed = await readFile(await packOf(clone, '.pack'));
    await rm(join(clone, 'objects/pack'), { recursive: true });
    await world.git(['unpack-objects', '-q'], { cwd: clone, input: packed });
    const loose = join(clone, 'objects', blob!.slice(0, 2), blob!.slice(2));
    await chmod(loose, 0o644);
    await truncate(loose, 0);

    await expect(repository.readBlob(blob!, 100_000, signal)).rejects.toMatchObject({ code: 'E_GIT_FAILED' });
    await repository.fetch(MAIN, signal);
    expect(await repository.readBlob(blob!, 100_000, signal)).toMatchObject({ kind: 'bytes' });
  });

  it('leaves word for the next process, which may only look once', async () => {
    const repository = await world.open();
    await repository.fetch(MAIN, signal);
    await damages['a pack with flipped bytes']!(clone);
    await expect(repository.diff(null, head, signal)).rejects.toMatchObject({ code: 'E_GIT_DAMAGED' });
    await repository[Symbol.asyncDispose]();

    const next = await world.openWith({ directory: clone });
    await next.fetch(MAIN, signal);
    expect(await next.diff(null, head, signal)).toHaveLength(2);
  });

  it.each(['HEAD', 'config'])('is set aside when it can not even be opened: %s', async file => {
    const repository = await world.open();
    await repository[Symbol.asyncDispose]();
    await writeFile(join(clone, file), '[garbage');

    const next = await world.openWith({ directory: clone });
    expect(await next.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: head });
  });

  it('is not suspected because of an id that was never ours', async () => {
    const repository = await world.open();
    await repository.fetch(MAIN, signal);
    const unknown = '1234567890123456789012345678901234567890' as CommitSha;
    for (let i = 0; i < 3; i++) {
      await expect(repository.diff(null, unknown, signal)).rejects.toMatchObject({ code: 'E_GIT_FAILED' });
      await repository.fetch(MAIN, signal);
    }
    expect(await readdir(world.folder)).not.toContain('clone-1.damaged');
  });
});

/** Bytes of nothing from there on, up to the checksum at the end. */
async function overwrite(file: string, from: number): Promise<void> {
  await using handle = await open(file, 'r+');
  const { size } = await handle.stat();
  await handle.write(Buffer.alloc(size - from - 20, 0xa5), 0, size - from - 20, from);
}

describe('renewal', () => {
  it('does not clone for ever from a remote that is damaged itself', async () => {
    await using world = await gitWorld();
    const directory = join(world.folder, 'clone');
    await mkdir(directory);
    let now = 1_000;
    let clones = 0;
    const health = renewal({
      git: { alone: async (_: number, act: () => void) => act() } as Git,
      directory,
      clock: { now: () => now, sleep: async () => {} },
      inLane: makeLanes(),
      cloneInto: async folder => {
        clones += 1;
        await mkdir(folder);
      },
      onRenewed: () => {},
    });
    for (const at of [1_000, 2_000, 3_000, 600_000, 700_000]) {
      now = at;
      health.note(damaged('fatal: packed object is corrupt'));
      await health.ifNeeded(MAIN, signal);
    }

    expect(clones).toBe(2);
  });
});

describe('judgeWords', () => {
  it.each([
    ['fatal: packed object 0123 (stored in x.pack) is corrupt', 'damaged'],
    ['error: packfile x.pack does not match index\nfatal: bad object 0', 'damaged'],
    ['fatal: bad object 1234567890123456789012345678901234567890', 'suspect'],
    ['remote: fatal: loose object 0123 is corrupt', 'none'],
    ['fatal: unable to access: Could not resolve host', 'none'],
    ['error: object 1234567890123456789012345678901234567890: hasDotdot: contains ..', 'none'],
  ])('takes %j for %s', (words, suspicion) => {
    expect(judgeWords(words)).toBe(suspicion);
  });
});
