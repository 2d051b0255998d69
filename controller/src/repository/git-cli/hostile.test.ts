import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Repository } from '../repository.ts';
import { type GitWorld, gitWorld } from './git-world.fixture.ts';
import { gitRepository } from './index.ts';

const signal = AbortSignal.timeout(50_000);

describe('A hostile repository', () => {
  let world: GitWorld;
  let repository: Repository;
  let good: CommitSha;

  beforeEach(async () => {
    world = await gitWorld();
    repository = await world.open();
    const blob = await world.git(['hash-object', '-w', '--stdin'], { cwd: world.bare, input: 'good\n' });
    good = await commitTree([['100644', 'model.yaml', blob]]);
    expect(await repository.fetch('main', signal)).toEqual({ kind: 'commit', commit: good });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  /** Built byte by byte, as no honest git would. */
  async function commitTree(
    entries: [mode: string, name: string, id: string][],
    parent?: CommitSha,
  ): Promise<CommitSha> {
    const input = Buffer.concat(
      entries.map(([mode, name, id]) =>
        Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]),
      ),
    );
    const tree = await world.git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
      cwd: world.bare,
      input,
    });
    const commit = await world.git(['commit-tree', tree, '-m', 'x', ...(parent ? ['-p', parent] : [])], {
      cwd: world.bare,
    });
    await world.git(['update-ref', 'refs/heads/main', commit], { cwd: world.bare });
    return commit as CommitSha;
  }
  const blobOf = (text: string): Promise<string> =>
    world.git(['hash-object', '-w', '--stdin'], { cwd: world.bare, input: text });

  it.each(['..', '.', '.git', '.GIT', 'git~1', '.git '])(
    'is refused for an entry named %j, and the last good commit stays readable',
    async name => {
      await commitTree([['100644', name, await blobOf('evil')]], good);

      const fetched = repository.fetch('main', signal);
      await expect(fetched).rejects.toMatchObject({
        code: 'E_GIT_OBJECT',
        message: expect.stringContaining('last good commit stays'),
      });
      expect(await repository.diff(null, good, signal)).toMatchObject([{ path: 'model.yaml' }]);
      await expect(repository.fetch('main', signal)).rejects.toMatchObject({ code: 'E_GIT_OBJECT' });
    },
  );

  it('is refused for two entries of one name, and for a link in place of .gitmodules', async () => {
    const blob = await blobOf('evil');
    await commitTree(
      [
        ['100644', 'a', blob],
        ['100644', 'a', blob],
      ],
      good,
    );
    await expect(repository.fetch('main', signal)).rejects.toMatchObject({ code: 'E_GIT_OBJECT' });

    await commitTree([['120000', '.gitmodules', blob]], good);
    await expect(repository.fetch('main', signal)).rejects.toMatchObject({ code: 'E_GIT_OBJECT' });
  });

  it('is read again once it is mended', async () => {
    await commitTree([['100644', '..', await blobOf('evil')]], good);
    await expect(repository.fetch('main', signal)).rejects.toMatchObject({ code: 'E_GIT_OBJECT' });

    const mended = await commitTree([['100644', 'model.yaml', await blobOf('mended')]], good);
    expect(await repository.fetch('main', signal)).toEqual({ kind: 'commit', commit: mended });
  });

  it('shows links and submodules for what they are, and nothing is followed or fetched', async () => {
    const link = await blobOf('/etc/passwd');
    const commit = await commitTree(
      [
        ['120000', 'link.yaml', link],
        ['160000', 'sub', good],
      ],
      good,
    );

    await repository.fetch('main', signal);
    const changes = await repository.diff(good, commit, signal);
    expect(changes.filter(change => change.blob !== null).map(({ path, mode }) => [path, mode])).toEqual([
      ['link.yaml', '120000'],
      ['sub', '160000'],
    ]);
  });

  it('runs nothing here: no hook, no filter', async () => {
    const canary = join(world.folder, 'canary');
    const clone = join(world.folder, 'clone-0');
    const script = `#!/bin/sh\ntouch '${canary}'\n`;
    await mkdir(join(clone, 'hooks'), { recursive: true });
    for (const hook of ['reference-transaction', 'post-index-change', 'pre-push', 'post-checkout']) {
      await writeFile(join(clone, 'hooks', hook), script, { mode: 0o755 });
    }
    const attributes = await blobOf('* filter=evil diff=evil\n');
    const commit = await commitTree([['100644', '.gitattributes', attributes]], good);

    await repository.fetch('main', signal);
    await repository.history(null, commit, signal);
    const author = { name: 'Ada', email: 'ada@example.org' };
    const next = await repository.commit(
      { parent: commit, edits: new Map([['a.yaml', 'a']]), message: 'm', author, at: 0 },
      signal,
    );
    await repository.push('refs/heads/other', null, next, signal);
    await expect(stat(canary)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('gives its dates and authors as data, however absurd', async () => {
    const tree = await world.git(['write-tree'], { cwd: world.bare });
    const raw = `tree ${tree}\nparent ${good}\nauthor \u001b[31mEve <e> 4294967296 +0000\ncommitter Eve <e> 4294967296 +0000\n\nsubject\u001b[0m\n`;
    const commit = await world.git(['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], {
      cwd: world.bare,
      input: raw,
    });
    await world.git(['update-ref', 'refs/heads/main', commit], { cwd: world.bare });

    await repository.fetch('main', signal);
    const [entry] = await repository.history(good, commit as CommitSha, signal);
    expect(entry).toMatchObject({ at: 4_294_967_296_000, author: '\u001b[31mEve' });
  });

  it.each([
    'ext::sh -c "touch canary"',
    '--upload-pack=touch',
    'https://u:p@example.org/x',
    'http://example.org/x',
    'file:///tmp/x',
  ])('is not even asked under the address %j', async url => {
    const opened = gitRepository({ url, directory: join(world.folder, 'never'), allowFile: false });
    await expect(opened).rejects.toMatchObject({ code: 'E_GIT_REMOTE_URL' });
    await expect(stat(join(world.folder, 'never'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
