import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RemoteServer, remoteServer } from '../remote/server.ts';
import { type GitWorld, gitWorld } from './git-cli/git-world.fixture.ts';
import { heldClock, silentLog } from './poller.fixture.ts';
import { RepositoryPoller } from './poller.ts';
import type { Repository } from './repository.ts';

const MAIN = 'refs/heads/main';
const RELEASE = 'environments/prod/fraud/release.yaml';
const MODEL = 'models/fraud/model.yaml';
const signal = AbortSignal.timeout(240_000);
type Entry = [mode: string, path: string, id: string];

describe('RepositoryPoller over smart HTTP, when a repository is hostile', () => {
  let world: GitWorld;
  let server: RemoteServer;
  let repository: Repository;
  let time: ReturnType<typeof heldClock>;
  let log: ReturnType<typeof silentLog>;
  let poller: RepositoryPoller;
  let good: CommitSha;
  let clone: string;

  beforeEach(async () => {
    let url = '';
    world = await gitWorld(() => url);
    server = await remoteServer({ directory: dirname(world.bare) });
    url = server.url('remote');
    clone = join(world.folder, 'clone-0');
    repository = await world.open();
    time = heldClock();
    log = silentLog();
    good = await commit([
      ['100644', RELEASE, await blob('good')],
      ['100644', MODEL, await blob('kind: Model\n')],
    ]);
    poller = new RepositoryPoller({
      ...{ repository, branch: 'main', historyRef: 'refs/switchback/history', root: '', intervalMs: 1_000 },
      ...{ clock: time.clock, log: log.log, hintDirectory: null },
    });
    await time.rest();
    expect(poller.latest()!.head).toBe(good);
  });
  afterEach(async () => {
    await poller[Symbol.asyncDispose]();
    await server.close();
    await world[Symbol.asyncDispose]();
  });

  const bare = (args: string[], input: string | Buffer = ''): Promise<string> =>
    world.git(args, { cwd: world.bare, input });
  const blob = (content: string | Buffer): Promise<string> => bare(['hash-object', '-w', '--stdin'], content);

  /** A tree by git's own index, which takes links, submodules and any honest path. */
  async function commit(
    entries: Entry[],
    { parents = [], raw }: { parents?: string[]; raw?: string } = {},
  ): Promise<CommitSha> {
    const base = parents[0];
    await bare(['read-tree', ...(base === undefined ? ['--empty'] : [base])]);
    const lines = entries.map(([mode, path, id]) => `${mode} ${id}\t${path}\0`);
    await bare(['update-index', '-z', '--index-info'], lines.join(''));
    const tree = await bare(['write-tree']);
    const head = parents.map(parent => `parent ${parent}\n`).join('');
    const text =
      raw ?? 'author Ada <ada@example.org> 5 +0000\ncommitter Ada <ada@example.org> 5 +0000\n\nchange\n';
    const id = await bare(
      ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'],
      `tree ${tree}\n${head}${text}`,
    );
    await bare(['update-ref', MAIN, id]);
    return id as CommitSha;
  }
  async function look(): Promise<void> {
    time.advance(10_000);
    await time.rest();
  }

  it.each(['..', '.git', '.GIT', 'git~1'])(
    'keeps the last good view when a tree holds an entry named %j, and says which object it is',
    async name => {
      const before = poller.latest();
      const tree = await bare(
        ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'],
        Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(await blob('evil'), 'hex')]),
      );
      await bare(['update-ref', MAIN, await bare(['commit-tree', tree, '-p', good, '-m', 'evil'])]);
      await look();

      expect(poller.latest()).toBe(before);
      expect(poller.contact().failure).toMatchObject({
        code: 'E_GIT_OBJECT',
        message: expect.stringMatching(new RegExp(`${tree}.*Remove the named entry`)),
      });
      expect(log.lines).toContainEqual({
        level: 'warn',
        message: 'the remote could not be read, the last view stands',
      });
    },
  );

  it.each([
    ['relative', '../../models/fraud/model.yaml'],
    ['absolute', '/etc/passwd'],
    ['to itself', 'release.yaml'],
    ['to a folder', '..'],
  ])('refuses a link (%s) in place of a manifest or a model, and reads the others', async (_, target) => {
    const link = await blob(target);
    await commit(
      [
        ['120000', RELEASE, link],
        ['120000', 'models/fraud/versions/1.0.0/model.onnx', link],
        ['100644', 'models/other/model.yaml', await blob('kind: Model\n')],
      ],
      { parents: [good] },
    );
    await look();

    const { files } = poller.latest()!;
    const refused = { kind: 'refused', code: 'E_FILE_KIND', message: 'is a symbolic link' };
    expect(files.get(RELEASE)).toMatchObject(refused);
    expect(files.get('models/fraud/versions/1.0.0/model.onnx')).toMatchObject(refused);
    expect(files.get('models/other/model.yaml')).toMatchObject({ text: 'kind: Model\n' });
    expect(poller.contact().failure).toBeNull();
  });

  it('refuses a submodule in a place of ours, and never fetches it', async () => {
    const elsewhere = '1'.repeat(40);
    await commit(
      [
        ['160000', 'models/fraud/versions/1.0.0/model.onnx', elsewhere],
        ['160000', 'models/sub', elsewhere],
        ['100644', '.gitmodules', await blob('[submodule "sub"]\n\tpath = models/sub\n\turl = /nowhere\n')],
      ],
      { parents: [good] },
    );
    await look();

    const refused = { kind: 'refused', code: 'E_FILE_KIND', message: 'is a submodule' };
    expect(poller.latest()!.files.get('models/fraud/versions/1.0.0/model.onnx')).toMatchObject(refused);
    expect(poller.latest()!.files.get('models/sub')).toMatchObject(refused);
    expect(poller.contact().failure).toBeNull();
    expect(await readdir(clone)).not.toContain('modules');
  });

  it('writes no file of the tree to disk, so that nothing can be linked to', async () => {
    await commit([['100755', 'models/fraud/run.sh', await blob('#!/bin/sh\n')]], { parents: [good] });
    await look();

    const names = (await readdir(clone, { recursive: true })).map(name => name.split('/').at(-1));
    expect(names).not.toContain('run.sh');
    expect(names).not.toContain('release.yaml');
    expect(await readFile(join(clone, 'config'), 'utf8')).toMatch(/bare = true/);
  });

  it('runs nothing that a repository or the clone names: hook, filter, text conversion, merge driver, monitor', async () => {
    const canary = join(world.folder, 'canary');
    const script = join(world.folder, 'evil.sh');
    await writeFile(script, `#!/bin/sh\ntouch '${canary}'\ncat\n`, { mode: 0o755 });
    await mkdir(join(clone, 'hooks'), { recursive: true });
    for (const hook of [
      'reference-transaction',
      'post-index-change',
      'pre-push',
      'pre-auto-gc',
      'fsmonitor-watchman',
    ])
      await writeFile(join(clone, 'hooks', hook), `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 });
    await mkdir(join(clone, 'info'), { recursive: true });
    for (const setting of [
      'filter.evil.clean',
      'filter.evil.smudge',
      'filter.evil.process',
      'core.fsmonitor',
    ])
      await world.git(['config', setting, script], { cwd: clone });
    await world.git(['config', 'diff.evil.textconv', script], { cwd: clone });
    await world.git(['config', 'diff.evil.command', script], { cwd: clone });
    const attributes = '* filter=evil diff=evil merge=evil\n';
    await writeFile(join(clone, 'info/attributes'), attributes);
    await commit(
      [
        ['100644', '.gitattributes', await blob(attributes)],
        ['100644', 'environments/.gitattributes', await blob(attributes)],
        ['100644', '.gitconfig', await blob(`[core]\n\tfsmonitor = ${script}\n`)],
        ['100755', 'hooks/post-checkout', await blob(`#!/bin/sh\ntouch '${canary}'\n`)],
        ['100644', RELEASE, await blob('next')],
      ],
      { parents: [good] },
    );
    await look();
    const head = poller.latest()!.head!;
    expect(poller.latest()!.files.get(RELEASE)).toMatchObject({ text: 'next' });
    const edits = await repository.revert(head, head, signal);
    const author = { name: 'Ada', email: 'ada@example.org' };
    const undone = await repository.commit(
      { parent: head, edits: edits!, message: 'm', author, at: 0 },
      signal,
    );
    expect(await repository.push(MAIN, head, undone, signal)).toEqual({ kind: 'pushed' });
    await look();

    expect(poller.latest()!.head).toBe(undone);
    await expect(stat(canary)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('orders by the graph, whatever the clocks said', async () => {
    const dated = (seconds: string, text: string): string =>
      `author Ada <a@b> ${seconds} +0000\ncommitter Ada <a@b> ${seconds} +0000\n\n${text}\n`;
    const version = (label: string): string => `models/fraud/versions/${label}/version.yaml`;
    const late = await commit([['100644', version('2.0.0'), await blob('2')]], {
      parents: [good],
      raw: dated('4294967296', 'in 2106'),
    });
    const early = await commit([['100644', version('1.0.0'), await blob('1')]], {
      parents: [late],
      raw: dated('0', 'in 1970'),
    });
    const absurd = await commit([['100644', version('0.1.0'), await blob('0')]], {
      parents: [early],
      raw: dated('99999999999999', 'beyond any calendar'),
    });
    await look();

    const { history } = poller.latest()!;
    expect([...history.commits.keys()]).toEqual([good, late, early, absurd]);
    expect(history.order.get(version('2.0.0'))).toBeLessThan(history.order.get(version('1.0.0'))!);
    for (const path of ['2.0.0', '1.0.0', '0.1.0'].map(version))
      for (const { at } of history.paths.get(path)!) expect(() => new Date(at).toISOString()).not.toThrow();
  });

  it('shows names and subjects as text that does nothing to a terminal, and bounds them', async () => {
    const who = '\u001b]0;owned\u0007Eve\u202e';
    const raw = `author ${who} <e@x> 5 +0000\ncommitter ${who} <e@x> 5 +0000\n\n\u001b[2J${'long '.repeat(5_000)}\n`;
    await commit([['100644', RELEASE, await blob('next')]], { parents: [good], raw });
    await look();

    const [change] = poller.latest()!.history.paths.get(RELEASE)!.slice(-1);
    expect(change!.author).toBe('Eve');
    expect(change!.subject).toMatch(/^long long /);
    expect(change!.subject.length).toBeLessThan(600);
    expect(poller.latest()!.subject).toBe(change!.subject);
  });

  it('tells apart paths that differ in case alone, as git does', async () => {
    await commit(
      [
        ['100644', 'models/fraud/versions/1.0.0/model.onnx', await blob('lower')],
        ['100644', 'models/fraud/versions/1.0.0/Model.onnx', await blob('UPPER!')],
        ['100644', 'models/Fraud/model.yaml', await blob('kind: Model # other\n')],
      ],
      { parents: [good] },
    );
    await look();

    const { files } = poller.latest()!;
    expect(files.get('models/fraud/versions/1.0.0/model.onnx')).toMatchObject({ sizeBytes: 5 });
    expect(files.get('models/fraud/versions/1.0.0/Model.onnx')).toMatchObject({ sizeBytes: 6 });
    expect(files.get(MODEL)).toMatchObject({ text: 'kind: Model\n' });
    expect(files.get('models/Fraud/model.yaml')).toMatchObject({ text: 'kind: Model # other\n' });
  });

  it('takes a merge whose first parent is not the old head for what it holds, and flags it', async () => {
    const ours = await commit([['100644', RELEASE, await blob('ours')]], { parents: [good] });
    await look();
    const theirs = await commit([['100644', MODEL, await blob('theirs')]], { parents: [good] });
    const foxtrot = await commit([['100644', RELEASE, await blob('ours')]], { parents: [theirs, ours] });
    await look();

    const view = poller.latest()!;
    expect(view).toMatchObject({ head: foxtrot, turnedFrom: ours });
    expect(view.files.get(RELEASE)).toMatchObject({ text: 'ours' });
    expect(view.files.get(MODEL)).toMatchObject({ text: 'theirs' });
    expect([...view.history.commits.keys()]).toEqual([good, theirs, foxtrot]);
    expect(log.lines).toContainEqual({
      level: 'warn',
      message: 'the former head came in by the other side of a merge, history is told anew',
    });
    const next = await commit([['100644', RELEASE, await blob('next')]], { parents: [foxtrot] });
    await look();
    expect(poller.latest()).toMatchObject({ head: next });
    expect(poller.latest()).not.toHaveProperty('turnedFrom');
  });

  it('is not moved by a tag that moves', async () => {
    const before = poller.latest();
    await bare(['tag', 'v1', good]);
    await bare(['tag', 'main', good]);
    await look();
    const other = await bare(['commit-tree', `${good}^{tree}`, '-m', 'elsewhere']);
    for (const tag of ['v1', 'main']) await bare(['tag', '-f', tag, other]);
    await look();

    expect(poller.latest()).toBe(before);
    expect(poller.contact().failure).toBeNull();
    await expect(repository.isAncestor(other as CommitSha, good, signal)).resolves.toBe(false);
  });
});
