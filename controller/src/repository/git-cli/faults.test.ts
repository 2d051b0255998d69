import { randomBytes } from 'node:crypto';
import { chmod, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Repository } from '../repository.ts';
import { type GitWorld, gitWorld } from './git-world.fixture.ts';
import { gitRepository } from './index.ts';
import { processesWith, readersOf, silentServer } from './processes.fixture.ts';

const signal = AbortSignal.timeout(50_000);
const author = { name: 'Ada', email: 'ada@example.org' };

/** The whole group, as a machine out of memory would; only if a git leads it, else the tests' own would die. */
const KILL_OWN_GIT = '[ "$(ps -o comm= -p $(ps -o pgid= -p $$))" = git ] && kill -9 0';

describe('gitRepository', () => {
  let world: GitWorld;
  let repository: Repository;

  beforeEach(async () => {
    world = await gitWorld();
    repository = await world.open();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const write = (parent: CommitSha | null, text: string): Promise<CommitSha> =>
    repository.commit({ parent, edits: new Map([['a.yaml', text]]), message: text, author, at: 0 }, signal);

  it('reads what a person pushed with their own git, merges by their first parent', async () => {
    const work = join(world.folder, 'work');
    await world.git(['clone', '--quiet', world.bare, work]);
    await writeFile(join(work, 'a.yaml'), 'one');
    await world.git(['add', '.'], { cwd: work });
    await world.git(['commit', '-qm', 'one'], { cwd: work });
    await world.git(['checkout', '-qb', 'side'], { cwd: work });
    await writeFile(join(work, 'b.yaml'), 'side');
    await world.git(['add', '.'], { cwd: work });
    await world.git(['commit', '-qm', 'on the side'], { cwd: work });
    await world.git(['checkout', '-q', 'main'], { cwd: work });
    await world.git(['merge', '-q', '--no-ff', '-m', 'merge side', 'side'], { cwd: work });
    await world.git(['push', '-q', 'origin', 'main'], { cwd: work });

    const head = await repository.fetch('main', signal);
    const merge = (head.kind === 'commit' ? head.commit : '') as CommitSha;
    const entries = await repository.history(null, merge, signal);
    expect(entries.map(({ subject, changes }) => [subject, changes.map(({ path }) => path)])).toEqual([
      ['one', ['a.yaml']],
      ['merge side', ['b.yaml']],
    ]);
    const edits = await repository.revert(merge, merge, signal);
    expect([...edits!]).toEqual([['b.yaml', null]]);
    const reverted = await repository.commit(
      { parent: merge, edits: edits!, message: 'Revert', author, at: 0 },
      signal,
    );
    await world.git(['revert', '-m', '1', '--no-edit', merge], { cwd: work });
    const theirs = await world.git(['rev-parse', 'HEAD^{tree}'], { cwd: work });
    expect(await world.git(['rev-parse', `${reverted}^{tree}`], { cwd: join(world.folder, 'clone-0') })).toBe(
      theirs,
    );
  });

  it('has first one branch and then another below its name', async () => {
    const commit = await write(null, 'one');
    await repository.push('refs/heads/a', null, commit, signal);
    const other = await world.open();
    expect(await other.fetch('a', signal)).toMatchObject({ kind: 'commit' });

    await world.git(['branch', '-D', 'a'], { cwd: world.bare });
    await world.git(['branch', 'a/b', commit], { cwd: world.bare });
    expect(await other.fetch('a', signal)).toEqual({ kind: 'empty' });
    expect(await other.fetch('a/b', signal)).toEqual({ kind: 'commit', commit });
  });

  it('strips what a refusing remote wanted to do to a terminal', async () => {
    await world.refusePushes('not you');

    const outcome = await repository.push('main', null, await write(null, 'one'), signal);
    expect(outcome).toEqual({
      kind: 'refused',
      reason: '[remote rejected] (pre-receive hook declined); not you',
    });
  });

  it.each([
    ['was pushed when the ref has moved there', 'committed', 'pushed'],
    ['failed, to be tried again, when the ref has not moved', 'prepared', 'E_GIT_UNREACHABLE'],
  ])('finds out that a push whose answer got lost %s', async (_, state, outcome) => {
    const commit = await write(null, 'one');
    // The remote dies around the moment at which the ref moves, before it could answer.
    const hook = join(world.bare, 'hooks/reference-transaction');
    await writeFile(hook, `#!/bin/sh\n[ "$1" != ${state} ] || kill -9 $PPID\n`, { mode: 0o755 });

    const pushed = await repository.push('main', null, commit, signal).then(
      ({ kind }) => kind,
      error => error.code,
    );
    expect(pushed).toBe(outcome);
  });

  it('goes on after git was killed in the middle of a fetch', async () => {
    const commit = await write(null, randomBytes(500_000).toString('hex'));
    await repository.push('main', null, commit, signal);
    // Stands in for ssh: sends half of the pack, then kills everything that takes part, as a machine out of memory would.
    const ssh = join(world.folder, 'ssh');
    await writeFile(
      ssh,
      `#!/bin/sh\ngit-upload-pack '${world.bare}' | { dd bs=1000 count=200 2>/dev/null; : > '${ssh}.ran'; ${KILL_OWN_GIT}; }\n`,
    );
    await chmod(ssh, 0o755);
    const directory = join(world.folder, 'killed');
    await using killed = await gitRepository({
      url: 'git@example.org:models.git',
      directory,
      allowFile: false,
      environment: { GIT_SSH: ssh, GIT_SSH_COMMAND: ssh },
    });
    await expect(killed.fetch('main', signal)).rejects.toMatchObject({ code: 'E_GIT_UNREACHABLE' });
    await stat(`${ssh}.ran`);

    await using again = await gitRepository({ url: world.bare, directory, allowFile: true });
    expect(await again.fetch('main', signal)).toEqual({ kind: 'commit', commit });
    expect(await locksIn(directory)).toEqual([]);
  });

  it('removes an old lock that a killed git left, and says when a young one stands in the way', async () => {
    await repository.push('main', null, await write(null, 'one'), signal);
    const other = await world.open();
    await other.fetch('main', signal);
    await repository.push('main', await headOf('main'), await write(await headOf('main'), 'two'), signal);
    const lock = join(world.folder, 'clone-1/refs/remotes/origin/main.lock');
    await writeFile(lock, '');

    await expect(other.fetch('main', signal)).rejects.toMatchObject({
      code: 'E_GIT_FAILED',
      message: expect.stringContaining('lock'),
    });
    const hourAgo = Date.now() / 1000 - 3600;
    await utimes(lock, hourAgo, hourAgo);
    expect(await other.fetch('main', signal)).toEqual({ kind: 'commit', commit: await headOf('main') });
  });

  it('starts its reader again when that was killed', async () => {
    const commit = await write(null, 'one');
    const [change] = await repository.diff(null, commit, signal);
    expect(await repository.readBlob(change!.blob!, 10, signal)).toMatchObject({ kind: 'bytes' });

    for (const pid of readersOf(join(world.folder, 'clone-0'))) process.kill(pid, 'SIGKILL');
    const read = async (): Promise<unknown> =>
      repository.readBlob(change!.blob!, 10, signal).catch(() => read());
    expect(await read()).toMatchObject({ kind: 'bytes' });
  });

  it('fails a read whose object is damaged, and reads the next one', async () => {
    const commit = await write(null, 'one');
    const second = await write(commit, 'two');
    const [bad] = await repository.diff(null, commit, signal);
    const [well] = await repository.diff(null, second, signal);
    const file = join(world.folder, 'clone-0/objects', bad!.blob!.slice(0, 2), bad!.blob!.slice(2));
    await chmod(file, 0o644);
    await writeFile(file, 'garbage');

    await expect(repository.readBlob(bad!.blob!, 10, signal)).rejects.toMatchObject({ code: 'E_GIT_FAILED' });
    expect(await repository.readBlob(well!.blob!, 10, signal)).toMatchObject({ kind: 'bytes' });
  });

  it('leaves no process and no index behind when it is closed', async () => {
    const commit = await write(null, 'one');
    const [change] = await repository.diff(null, commit, signal);
    await repository.readBlob(change!.blob!, 10, signal);
    expect(readersOf(join(world.folder, 'clone-0'))).toHaveLength(1);

    await repository[Symbol.asyncDispose]();
    expect(readersOf(join(world.folder, 'clone-0'))).toEqual([]);
    expect(await readdir(join(world.folder, 'clone-0/switchback'))).toEqual(['home']);
    await expect(repository.readBlob(change!.blob!, 10, signal)).rejects.toMatchObject({
      code: 'E_GIT_FAILED',
    });
  });

  it('gives up on a remote that says nothing when its caller does, and leaves no process', async () => {
    await using silent = await silentServer();
    const directory = join(world.folder, 'silent');
    await using waiting = await gitRepository({
      url: `http://127.0.0.1:${silent.port}/x.git`,
      directory,
      allowFile: false,
      environment: { SOME_TOKEN: 'hunter22hunter22' },
    });
    const giveUp = new AbortController();
    const fetched = waiting.fetch('main', giveUp.signal);
    await silent.asked;
    giveUp.abort(new Error('no patience'));

    await expect(fetched).rejects.toThrow('no patience');
    expect(await locksIn(directory)).toEqual([]);
    expect(processesWith(directory)).toEqual([]);
  });

  it('never repeats a credential', async () => {
    const directory = join(world.folder, 'secret');
    const environment = {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: 'Authorization: Basic c2VjcmV0LXdvcmQ=',
      GIT_TRACE_CURL: '1',
      GIT_TRACE_REDACT: '0',
    };
    await using silent = await silentServer('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    await using asking = await gitRepository({
      url: `http://127.0.0.1:${silent.port}/x.git`,
      directory,
      allowFile: false,
      environment,
    });

    const error: Error = await asking.fetch('main', signal).then(
      () => new Error('it was let in'),
      failure => failure,
    );
    expect(error).toMatchObject({ code: 'E_GIT_UNREACHABLE' });
    expect(silent.heard()).toContain('Basic c2VjcmV0LXdvcmQ=');
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('c2VjcmV0LXdvcmQ=');
  });

  it('takes a credential out of the words of a remote that repeats it', async () => {
    const hook = join(world.bare, 'hooks/pre-receive');
    await writeFile(hook, '#!/bin/sh\necho "no entry with $SOME_TOKEN" >&2\nexit 1\n', { mode: 0o755 });
    const directory = join(world.folder, 'echoing');
    const environment = { SOME_TOKEN: 'hunter22hunter22' };
    await using echoing = await gitRepository({ url: world.bare, directory, allowFile: true, environment });
    const edits = new Map([['a.yaml', 'a']]);
    const commit = await echoing.commit({ parent: null, edits, message: 'm', author, at: 0 }, signal);

    const outcome = await echoing.push('main', null, commit, signal);
    expect(outcome).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('no entry with [secret]'),
    });
  });

  it('says so when a remote redirects, and does not go there', async () => {
    await using elsewhere = await silentServer();
    await using silent = await silentServer(
      `HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:${elsewhere.port}/y.git/info/refs\r\ncontent-length: 0\r\n\r\n`,
    );
    await using asking = await gitRepository({
      url: `http://127.0.0.1:${silent.port}/x.git`,
      directory: join(world.folder, 'redirect'),
      allowFile: false,
    });

    await expect(asking.fetch('main', signal)).rejects.toMatchObject({ code: 'E_GIT_REMOTE_URL' });
    expect(elsewhere.heard()).toBe('');
  });

  async function headOf(branch: string): Promise<CommitSha> {
    return (await world.git(['rev-parse', branch], { cwd: world.bare })) as CommitSha;
  }
});

async function locksIn(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).filter(
    name => name.endsWith('.lock') || name.includes('tmp_pack'),
  );
}
