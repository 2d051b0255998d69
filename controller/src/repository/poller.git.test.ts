import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { type GitWorld, gitWorld } from './git-cli/git-world.fixture.ts';
import { heldClock, silentLog } from './poller.fixture.ts';
import { type PollerSettings, RepositoryPoller } from './poller.ts';

const HISTORY = 'refs/switchback/history';
const signal = AbortSignal.timeout(50_000);

describe('RepositoryPoller over real git', () => {
  let world: GitWorld;
  let work: string;

  beforeEach(async () => {
    world = await gitWorld();
    work = join(world.folder, 'work');
    await world.git(['clone', '--quiet', world.bare, work]);
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const git = (...args: string[]): Promise<string> => world.git(args, { cwd: work });
  async function commit(path: string, text: string): Promise<string> {
    await writeFile(join(work, path), text);
    await git('add', '.');
    await git('commit', '-qm', `${path} says ${text}`);
    return git('rev-parse', 'HEAD');
  }
  async function open(part: Partial<PollerSettings>): Promise<RepositoryPoller> {
    const { log } = silentLog();
    return new RepositoryPoller({
      ...{
        repository: await world.open(),
        branch: 'main',
        historyRef: HISTORY,
        root: '',
        intervalMs: 600_000,
      },
      ...{ clock: systemClock, log, hintDirectory: null },
      ...part,
    });
  }
  function headIs(poller: RepositoryPoller, head: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (poller.latest()?.head === head) resolve();
      };
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      poller.onChange(check);
      check();
    });
  }

  it('notices a push to a local remote at once, long before its interval', async () => {
    await using poller = await open({ hintDirectory: world.bare });
    const first = await commit('switchback.yaml', 'one');
    await git('push', '-q', 'origin', 'main');

    await headIs(poller, first);
    const second = await commit('switchback.yaml', 'two');
    await git('push', '-q', 'origin', 'main');
    await headIs(poller, second);
  });

  it('tells history anew when a merge turned the line round', async () => {
    const time = heldClock();
    await commit('a.txt', 'base');
    await git('checkout', '-qb', 'theirs');
    const theirs = await commit('b.txt', 'theirs');
    await git('checkout', '-q', 'main');
    const ours = await commit('c.txt', 'ours');
    await git('push', '-q', 'origin', `${theirs}:refs/heads/main`);
    await using poller = await open({ clock: time.clock });
    await time.rest();
    expect(poller.latest()!.head).toBe(theirs);

    await git('merge', '-q', '--no-ff', '-m', 'merge theirs', 'theirs');
    await git('push', '-q', 'origin', 'main');
    time.advance(1_000);
    await time.rest();
    const merge = await git('rev-parse', 'main');
    expect([...poller.latest()!.history.commits.keys()]).toEqual([
      await git('rev-parse', 'main~2'),
      ours,
      merge,
    ]);
  });

  it('knows at its start what an earlier life fetched, while the remote is away', async () => {
    const repository = await world.open();
    const head = await commit('switchback.yaml', 'one');
    await git('push', '-q', 'origin', 'main', `main:${HISTORY}`);
    const before = heldClock();
    await using earlier = await open({ repository, clock: before.clock });
    await before.rest();
    await earlier[Symbol.asyncDispose]();
    await world.disconnect();

    const time = heldClock();
    await using poller = await open({ repository, clock: time.clock });
    await time.rest();

    expect(poller.latest()).toMatchObject({ head, subject: 'switchback.yaml says one' });
    expect(poller.latest()!.files).toEqual(earlier.latest()!.files);
    expect(poller.latest()!.history).toEqual(earlier.latest()!.history);
    expect(poller.latest()!.records).toEqual(earlier.latest()!.records);
    expect(poller.contact()).toMatchObject({ reachedAt: null, failure: { code: 'E_GIT_UNREACHABLE' } });
  });

  it('accepts a history that was rewritten before it started', async () => {
    const repository = await world.open();
    await commit('a.txt', 'old');
    await git('push', '-q', 'origin', 'main');
    const before = heldClock();
    await using earlier = await open({ repository, clock: before.clock });
    await before.rest();
    await earlier[Symbol.asyncDispose]();
    await git('commit', '-q', '--amend', '-m', 'another');
    await git('push', '-q', '--force', 'origin', 'main');

    const time = heldClock();
    await using poller = await open({ repository, clock: time.clock });
    await time.rest();

    expect(poller.latest()).toMatchObject({ head: await git('rev-parse', 'HEAD'), subject: 'another' });
  });

  it('keeps the last good view when a hostile tree is pushed', async () => {
    const time = heldClock();
    const good = await commit('a.txt', 'good');
    await git('push', '-q', 'origin', 'main');
    await using poller = await open({ clock: time.clock });
    await time.rest();
    const blob = await git('hash-object', '-w', 'a.txt');
    const input = Buffer.concat([Buffer.from('100644 ..\0'), Buffer.from(blob, 'hex')]);
    const tree = await world.git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
      cwd: work,
      input,
    });
    await git(
      'push',
      '-q',
      'origin',
      `${await git('commit-tree', tree, '-p', good, '-m', 'evil')}:refs/heads/main`,
    );
    time.advance(1_000);
    await time.rest();

    expect(poller.latest()!.head).toBe(good);
    expect(poller.contact().failure).toMatchObject({
      code: 'E_GIT_OBJECT',
      message: expect.stringContaining('refused'),
    });
  });
});
