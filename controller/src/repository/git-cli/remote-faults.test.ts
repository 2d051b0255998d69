import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Repository } from '../repository.ts';
import { type GitWorld, gitWorld } from './git-world.fixture.ts';
import { type MoodyRemote, moodyRemote } from './moody-remote.fixture.ts';
import { processesWith } from './processes.fixture.ts';

const MAIN = 'refs/heads/main';
const HISTORY = 'refs/switchback/history';
const signal = AbortSignal.timeout(240_000);
const author = { name: 'Ada', email: 'ada@example.org' };
/** Credentials of any kind: from then on git alone asks the remote. */
const environment = { SOME_TOKEN: 'hunter22hunter22' };

describe('gitRepository over a remote with moods', () => {
  let world: GitWorld;
  let remote: MoodyRemote;
  let repository: Repository;
  let first: CommitSha;

  beforeEach(async () => {
    world = await gitWorld(() => remote.url);
    remote = await moodyRemote(world.bare);
    repository = await world.open();
    first = await write(null, 'one');
    await repository.push(MAIN, null, first, signal);
  });
  afterEach(async () => {
    await remote[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const write = (parent: CommitSha | null, text: string, by = repository): Promise<CommitSha> =>
    by.commit({ parent, edits: new Map([['a.yaml', text]]), message: text, author, at: 0 }, signal);

  it.each([
    ['is asked directly', {}],
    ['is asked by git', { environment }],
  ])(
    'gives up on a remote that says nothing, when it %s, and leaves no process and no lock',
    async (_, part) => {
      const directory = join(world.folder, 'waiting');
      const waiting = await world.openWith({ ...part, directory, limits: { silenceMs: 300 } });
      remote.ignores = () => true;

      await expect(waiting.fetch(MAIN, signal)).rejects.toMatchObject({
        code: 'E_GIT_UNREACHABLE',
        message: expect.stringContaining('did not answer in time'),
      });
      expect(processesWith(directory)).toEqual([]);
      expect(await leftoversIn(directory)).toEqual([]);
      remote.ignores = () => false;
      expect(await waiting.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: first });
    },
  );

  it('lets another ref and a push through while the fetch of one ref hangs', async () => {
    const patient = await world.open();
    await patient.fetch(MAIN, signal);
    remote.ignores = ({ body }) => body.includes(`ref-prefix ${MAIN}`);
    const giveUp = new AbortController();
    const begun = remote.next(/upload-pack/);
    const hung = patient.fetch(MAIN, giveUp.signal);
    await begun;

    const record = await write(null, 'record', patient);
    expect(await patient.push(HISTORY, null, record, signal)).toEqual({ kind: 'pushed' });
    expect(await patient.fetch(HISTORY, signal)).toEqual({ kind: 'commit', commit: record });
    const second = await write(first, 'two', patient);
    expect(await patient.push(MAIN, first, second, signal)).toEqual({ kind: 'pushed' });

    giveUp.abort(new Error('no patience'));
    await expect(hung).rejects.toThrow('no patience');
    remote.ignores = () => false;
    expect(await patient.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: second });
  });

  it('lets a caller go at once who waits behind a fetch that hangs', async () => {
    const patient = await world.open();
    remote.ignores = () => true;
    const giveUp = new AbortController();
    const begun = remote.next(/upload-pack/);
    const hung = patient.fetch(MAIN, giveUp.signal);
    await begun;
    const impatient = new AbortController();
    const behind = patient.fetch(MAIN, impatient.signal);

    impatient.abort(new Error('no patience'));
    await expect(behind).rejects.toThrow('no patience');
    expect(remote.asked.filter(({ path }) => path.includes('upload-pack'))).toHaveLength(1);
    giveUp.abort(new Error('done'));
    await expect(hung).rejects.toThrow('done');
  });

  it('counts a push as pushed whose reply was cut off, and one that somebody has built on meanwhile', async () => {
    const second = await write(first, 'two');
    remote.cuts = ({ path }) => path.endsWith('/git-receive-pack');
    expect(await repository.push(MAIN, first, second, signal)).toEqual({ kind: 'pushed' });
    remote.cuts = () => false;

    const other = await world.open();
    await other.fetch(MAIN, signal);
    const theirs = await write(second, 'three', other);
    expect(await other.push(MAIN, second, theirs, signal)).toEqual({ kind: 'pushed' });
    const again = await write(first, 'two');
    expect(again).toBe(second);
    expect(await repository.push(MAIN, first, again, signal)).toEqual({ kind: 'pushed' });
  });

  it('finds its own commit there later, when remote and reply were both lost', async () => {
    const cutOff = await world.openWith({ limits: { silenceMs: 300 } });
    await cutOff.fetch(MAIN, signal);
    const second = await write(first, 'two', cutOff);
    remote.cuts = ({ path }) => path.endsWith('/git-receive-pack');
    remote.ignores = ({ path }) => path.endsWith('/git-upload-pack');
    await expect(cutOff.push(MAIN, first, second, signal)).rejects.toMatchObject({
      code: 'E_GIT_UNREACHABLE',
    });

    remote.cuts = () => false;
    remote.ignores = () => false;
    expect(await repository.push(MAIN, first, await write(first, 'two'), signal)).toEqual({ kind: 'pushed' });
    expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: second });
  });

  it('ends a push that gets no answer within its bound, and does not say it was pushed', async () => {
    const directory = join(world.folder, 'pushing');
    const pushing = await world.openWith({ directory, limits: { pushMs: 500 } });
    await pushing.fetch(MAIN, signal);
    const second = await write(first, 'two', pushing);
    remote.ignores = ({ path }) => path.includes('receive-pack');

    await expect(pushing.push(MAIN, first, second, signal)).rejects.toMatchObject({
      code: 'E_GIT_UNREACHABLE',
    });
    expect(processesWith(directory)).toEqual([]);
  });

  it('gives back the words of a remote that refuses, printable and not without end', async () => {
    const words = "printf '\\033]0;owned\\007main \\033[31mis protected\\342\\200\\256 %0100000d\\n' 7 >&2";
    await writeFile(join(world.bare, 'hooks/pre-receive'), `#!/bin/sh\n${words}\nexit 1\n`, { mode: 0o755 });

    const outcome = await repository.push(MAIN, first, await write(first, 'two'), signal);
    const reason = outcome.kind === 'refused' ? outcome.reason : '';
    expect(reason).toMatch(/^\[remote rejected\] \(pre-receive hook declined\); main is protected/);
    expect(reason.length).toBeLessThan(700);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(reason).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]|owned/);
  });
});

async function leftoversIn(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).filter(
    name => name.endsWith('.lock') || name.includes('tmp_'),
  );
}
