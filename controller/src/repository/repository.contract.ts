import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Edits, Repository } from './repository.ts';

/** A remote and its moods, as the suite needs them; one is made for each test. */
export interface RepositoryWorld extends AsyncDisposable {
  /** Another clone of the same remote, closed by the world. */
  open(): Promise<Repository>;
  /** From now on every push is refused with these words. */
  refusePushes(words: string): Promise<void>;
  disconnect(): Promise<void>;
}

const MAIN = 'refs/heads/main';
const HISTORY = 'refs/switchback/history';
const author = { name: 'Ada Lovelace', email: 'ada@example.org' };
const signal = AbortSignal.timeout(50_000);

const UNSAFE_PATHS = [
  '../out.yaml',
  'a/../../b',
  '/etc/passwd',
  '.git/config',
  'a/.GIT/hooks/x',
  'git~1/x',
  '.git./x',
  'a//b',
  'a/./b',
  '',
  'a\nb',
  'a\\b',
];
const UNSAFE_REFS = [
  '-x',
  '--upload-pack=touch',
  'refs/heads/a..b',
  'a@{u}',
  'a b',
  'a\nb',
  'refs/heads/',
  '/main',
  'main.lock',
  'x~1',
  'a:b',
  'refs/heads/.hidden',
];

/** What every Repository keeps, whatever it stands on. */
export function repositoryContract(name: string, makeWorld: () => Promise<RepositoryWorld>): void {
  describe(`Repository contract: ${name}`, () => {
    let world: RepositoryWorld;
    let repository: Repository;

    beforeEach(async () => {
      world = await makeWorld();
      repository = await world.open();
    });
    afterEach(() => world[Symbol.asyncDispose]());

    function write(
      parent: CommitSha | null,
      files: Record<string, string | null>,
      message = 'change',
    ): Promise<CommitSha> {
      return repository.commit(
        { parent, edits: new Map(Object.entries(files)), message, author, at: 1_700_000_000_000 },
        signal,
      );
    }
    async function textOf(path: string, at: CommitSha, from: Repository = repository): Promise<string> {
      const change = (await from.diff(null, at, signal)).find(file => file.path === path);
      const content = await from.readBlob(change!.blob!, 1000, signal);
      return content.kind === 'bytes' ? Buffer.from(content.bytes).toString() : content.kind;
    }
    async function pathsOf(at: CommitSha): Promise<string[]> {
      return (await repository.diff(null, at, signal)).map(change => change.path).sort();
    }

    commits();
    reading();
    reverts();
    pushes();

    function commits(): void {
      it('builds the very commit that git builds, so that a repeat changes nothing', async () => {
        const first = await write(
          null,
          { 'a/one.yaml': 'one\n', 'b.yaml': 'b\n', 'a-b.yaml': 'c\n' },
          'Begin\n\nWhy: ünïcode\n',
        );
        const again = await write(
          null,
          { 'a-b.yaml': 'c\n', 'b.yaml': 'b\n', 'a/one.yaml': 'one\n' },
          'Begin\n\nWhy: ünïcode',
        );
        const second = await write(first, { 'a/one.yaml': null, 'b.yaml': 'two\n' }, 'Go on');

        expect(again).toBe(first);
        expect(first).toBe('6119dc731ac533bf6f4a019ca70af42727878a44');
        expect(second).toBe('98066cab1dad8b8ccc4b53d847ba9632e76fd2a0');
      });

      it('keeps what is not edited, and lets go of what is removed', async () => {
        const first = await write(null, { 'keep/this.yaml': '1', 'gone/x.yaml': '2' });
        const second = await write(first, { 'gone/x.yaml': null, 'never/was.yaml': null, 'new.yaml': '3' });

        expect(await pathsOf(second)).toEqual(['keep/this.yaml', 'new.yaml']);
      });

      it('refuses to write what would be hostile in a tree', async () => {
        for (const path of UNSAFE_PATHS) {
          await expect(write(null, { [path]: 'x' }), path).rejects.toMatchObject({ code: 'E_PATH_NAME' });
        }
      });

      it('can not be talked out of its author line by a name', async () => {
        const edits = new Map([['a', 'a']]);
        const evil = { name: 'Eve <eve@x>\nparent 00', email: 'e>\n@x' };
        const commit = await repository.commit(
          { parent: null, edits, message: 'm', author: evil, at: 0 },
          signal,
        );

        const [entry] = await repository.history(null, commit, signal);
        expect(entry).toMatchObject({ author: 'Eve eve@xparent 00', parent: null });
      });
    }

    function reading(): void {
      it('says that a branch is not there yet', async () => {
        expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'empty' });
        expect(await repository.fetch(HISTORY, signal)).toEqual({ kind: 'empty' });
      });

      it('sees in one clone what another one pushed, step by step', async () => {
        const other = await world.open();
        const first = await write(null, { 'a.yaml': 'one' });
        await repository.push(MAIN, null, first, signal);

        expect(await other.fetch('main', signal)).toEqual({ kind: 'commit', commit: first });
        const second = await write(first, { 'a.yaml': 'two' });
        await repository.push(MAIN, first, second, signal);
        expect(await other.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: second });
        expect(await other.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: second });
        expect(await textOf('a.yaml', second, other)).toBe('two');
      });

      it('tells what differs between two commits, and nothing else', async () => {
        const first = await write(null, { 'same.yaml': 's', 'a.yaml': 'a', 'dir/b.yaml': 'b' });
        const second = await write(first, { 'a.yaml': 'A', 'dir/b.yaml': null, 'ü/c.yaml': 'c' });

        const changes = await repository.diff(first, second, signal);
        expect(changes.map(change => [change.path, change.blob !== null, change.mode]).sort()).toEqual([
          ['a.yaml', true, '100644'],
          ['dir/b.yaml', false, '100644'],
          ['ü/c.yaml', true, '100644'],
        ]);
        expect(await repository.diff(second, second, signal)).toEqual([]);
      });

      it('gives the size alone of a blob above the limit', async () => {
        const commit = await write(null, { 'a.yaml': '12345' });
        const blob = (await repository.diff(null, commit, signal))[0]!.blob!;

        expect(await repository.readBlob(blob, 4, signal)).toEqual({ kind: 'too-large', sizeBytes: 5 });
        expect(await repository.readBlob(blob, 5, signal)).toMatchObject({ kind: 'bytes' });
        expect(await textOf('a.yaml', commit)).toBe('12345');
      });

      it('throws for a blob that is not there, and goes on reading', async () => {
        const commit = await write(null, { 'a.yaml': 'x', 'empty.yaml': '' });
        const missing = '1234567890123456789012345678901234567890' as never;

        await expect(repository.readBlob(missing, 10, signal)).rejects.toMatchObject({
          code: 'E_GIT_FAILED',
        });
        expect(await textOf('a.yaml', commit)).toBe('x');
        expect(await textOf('empty.yaml', commit)).toBe('');
      });

      it('answers many reads at once, each with its own bytes', async () => {
        const files = Object.fromEntries(
          Array.from({ length: 200 }, (_, i) => [`f${i}.yaml`, `${i}\n`.repeat(i)]),
        );
        const changes = await repository.diff(null, await write(null, files), signal);

        const read = await Promise.all(
          changes.map(change => repository.readBlob(change.blob!, 100_000, signal)),
        );
        for (const [index, content] of read.entries()) {
          expect(content.kind === 'bytes' && Buffer.from(content.bytes).toString()).toBe(
            files[changes[index]!.path],
          );
        }
      });

      it('tells the first-parent line oldest first, whatever stands in a message', async () => {
        const first = await write(
          null,
          { 'a.yaml': '1' },
          'One: thing\n\nBody\n:100644 100644 x\n\nOperation: 0123\n',
        );
        const second = await write(first, { 'b.yaml': '2' }, 'Two\nlines of subject');
        const third = await write(second, { 'a.yaml': null }, '\u001b[31mred');

        const entries = await repository.history(null, third, signal);
        expect(entries.map(entry => entry.commit)).toEqual([first, second, third]);
        expect(entries.map(entry => entry.parent)).toEqual([null, first, second]);
        expect(entries.map(entry => entry.subject)).toEqual([
          'One: thing',
          'Two lines of subject',
          '\u001b[31mred',
        ]);
        expect(entries[0]).toMatchObject({
          at: 1_700_000_000_000,
          author: 'Ada Lovelace',
          body: 'Body\n:100644 100644 x\n\nOperation: 0123',
        });
        expect(entries.map(entry => entry.changes.map(change => change.path))).toEqual([
          ['a.yaml'],
          ['b.yaml'],
          ['a.yaml'],
        ]);
        expect(entries[2]!.changes[0]!.blob).toBeNull();
        expect((await repository.history(first, third, signal)).map(entry => entry.commit)).toEqual([
          second,
          third,
        ]);
        expect(await repository.history(third, third, signal)).toEqual([]);
      });

      it('knows ancestors, and says no of a commit that it never saw', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        const second = await write(first, { 'a.yaml': '2' });
        const unknown = '1234567890123456789012345678901234567890' as CommitSha;

        expect(await repository.isAncestor(first, second, signal)).toBe(true);
        expect(await repository.isAncestor(second, second, signal)).toBe(true);
        expect(await repository.isAncestor(second, first, signal)).toBe(false);
        expect(await repository.isAncestor(unknown, second, signal)).toBe(false);
        expect(await repository.isAncestor(first, unknown, signal)).toBe(false);
      });

      it('refuses a ref name that is none, before anybody is asked', async () => {
        for (const ref of UNSAFE_REFS) {
          await expect(repository.fetch(ref, signal), ref).rejects.toMatchObject({ code: 'E_GIT_REF' });
        }
      });

      it('throws when the remote can not be reached', async () => {
        await world.disconnect();

        await expect(repository.fetch(MAIN, signal)).rejects.toMatchObject({ code: 'E_GIT_UNREACHABLE' });
      });
    }

    function reverts(): void {
      const release = (version: string): string =>
        `apiVersion: switchback/v1alpha1\nkind: Release\nversion: "${version}"\n`;
      const textsOf = (edits: Edits | null): unknown =>
        edits && new Map([...edits].map(([path, text]) => [path, text && Buffer.from(text).toString()]));

      it('gives the edits that undo the newest commit', async () => {
        const first = await write(null, { 'a.yaml': 'old', 'b.yaml': 'b' });
        const second = await write(first, { 'a.yaml': 'new', 'c.yaml': 'c', 'b.yaml': null });

        const edits = await repository.revert(second, second, signal);
        expect(textsOf(edits)).toEqual(
          new Map<string, string | null>([
            ['a.yaml', 'old'],
            ['b.yaml', 'b'],
            ['c.yaml', null],
          ]),
        );
        const undone = await repository.commit(
          { parent: second, edits: edits!, message: 'Revert', author, at: 0 },
          signal,
        );
        expect(await repository.diff(first, undone, signal)).toEqual([]);
      });

      it('keeps what later commits did elsewhere, also in the same file', async () => {
        const lines = (top: string, bottom: string): string =>
          [top, '1', '2', '3', '4', '5', bottom, ''].join('\n');
        const first = await write(null, { 'a.yaml': lines('old', 'old') });
        const second = await write(first, { 'a.yaml': lines('new', 'old') });
        const third = await write(second, { 'a.yaml': lines('new', 'new'), 'z.yaml': 'z' });

        expect(textsOf(await repository.revert(second, third, signal))).toEqual(
          new Map([['a.yaml', lines('old', 'new')]]),
        );
      });

      it('gives null where a later commit changed the same line', async () => {
        const first = await write(null, { 'a.yaml': release('1') });
        const second = await write(first, { 'a.yaml': release('2') });
        const third = await write(second, { 'a.yaml': release('3') });

        expect(await repository.revert(second, third, signal)).toBeNull();
      });

      it('gives no edits when it is undone already', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        const second = await write(first, { 'a.yaml': '2' });
        const third = await write(second, { 'a.yaml': '1' });

        expect(textsOf(await repository.revert(second, third, signal))).toEqual(new Map());
      });

      it('undoes the first commit of all', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        const second = await write(first, { 'b.yaml': '2' });

        expect(textsOf(await repository.revert(first, second, signal))).toEqual(new Map([['a.yaml', null]]));
      });

      it('never lets a look-alike rename carry the undoing into another release', async () => {
        const first = await write(null, { 'environments/prod/a/release.yaml': release('1.0.0') });
        const second = await write(first, { 'environments/prod/a/release.yaml': release('2.0.0') });
        const third = await write(second, {
          'environments/prod/a/release.yaml': null,
          'environments/prod/c/release.yaml': release('2.0.0'),
        });

        expect(await repository.revert(second, third, signal)).toBeNull();
      });
    }

    function pushes(): void {
      it('lets one of two writers through and tells the other that the ref moved', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        await repository.push(MAIN, null, first, signal);
        const other = await world.open();
        await other.fetch(MAIN, signal);
        const mine = await write(first, { 'a.yaml': 'mine' });
        const theirs = await other.commit(
          { parent: first, edits: new Map([['a.yaml', 'theirs']]), message: 'm', author, at: 0 },
          signal,
        );

        const outcomes = await Promise.all([
          repository.push(MAIN, first, mine, signal),
          other.push(MAIN, first, theirs, signal),
        ]);
        expect(outcomes.map(outcome => outcome.kind).sort()).toEqual(['moved', 'pushed']);
        const winner = outcomes[0]!.kind === 'pushed' ? mine : theirs;
        expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: winner });
      });

      it('counts a push that is there already as pushed, as after a lost reply', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        const second = await write(first, { 'a.yaml': '2' });
        await repository.push(MAIN, null, first, signal);

        expect(await repository.push(MAIN, first, second, signal)).toEqual({ kind: 'pushed' });
        expect(await repository.push(MAIN, first, second, signal)).toEqual({ kind: 'pushed' });
      });

      it('counts a push as pushed that somebody has built on since', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        const second = await write(first, { 'a.yaml': '2' });
        await repository.push(MAIN, null, first, signal);
        await repository.push(MAIN, first, second, signal);
        const other = await world.open();
        await other.fetch(MAIN, signal);
        const theirs = await other.commit(
          { parent: second, edits: new Map([['b.yaml', 'b']]), message: 'm', author, at: 0 },
          signal,
        );
        await other.push(MAIN, second, theirs, signal);

        expect(await repository.push(MAIN, first, second, signal)).toEqual({ kind: 'pushed' });
        expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: theirs });
      });

      it('does not make a ref that somebody else made meanwhile', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        const rival = await write(null, { 'a.yaml': 'rival' });
        await repository.push(HISTORY, null, first, signal);

        expect(await repository.push(HISTORY, null, rival, signal)).toEqual({ kind: 'moved' });
        expect(await repository.fetch(HISTORY, signal)).toEqual({ kind: 'commit', commit: first });
      });

      it('does not move a ref that is gone', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        const second = await write(first, { 'a.yaml': '2' });

        expect(await repository.push(MAIN, first, second, signal)).toEqual({ kind: 'moved' });
        expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'empty' });
      });

      it('never forces: a commit that does not descend from the expected one is not sent', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        const unrelated = await write(null, { 'a.yaml': 'unrelated' });
        await repository.push(MAIN, null, first, signal);

        await expect(repository.push(MAIN, first, unrelated, signal)).rejects.toMatchObject({
          code: 'E_GIT_FAILED',
        });
        expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'commit', commit: first });
      });

      it('repeats the words of a remote that refuses', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        await world.refusePushes('main is protected; open a pull request');

        const outcome = await repository.push(MAIN, null, first, signal);
        expect(outcome).toMatchObject({
          kind: 'refused',
          reason: expect.stringContaining('main is protected; open a pull request'),
        });
        expect(await repository.fetch(MAIN, signal)).toEqual({ kind: 'empty' });
      });

      it('throws when the remote can not be reached for a push', async () => {
        const first = await write(null, { 'a.yaml': '1' });
        await world.disconnect();

        await expect(repository.push(MAIN, null, first, signal)).rejects.toMatchObject({
          code: 'E_GIT_UNREACHABLE',
        });
      });

      it('does nothing for a caller that gave up', async () => {
        await expect(repository.fetch(MAIN, AbortSignal.abort(new Error('gave up')))).rejects.toThrow(
          'gave up',
        );
      });
    }
  });
}
