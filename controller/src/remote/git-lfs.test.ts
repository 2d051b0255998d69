import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { objectOf } from '../repository/lfs/artifact.contract.ts';
import { lfsClient } from '../repository/lfs/client.ts';
import { formatPointer } from '../repository/lfs/pointer.ts';
import { artifactStore } from '../repository/lfs/store.ts';
import { GIT_ATTRIBUTES } from '../repository/lfs/tracked.ts';
import { cuttingProxy } from './cutting-proxy.fixture.ts';
import { type RemoteServer, remoteServer } from './server.ts';
import { type Folder, hasGitLfs, temporaryFolder } from './world.fixture.ts';

const MEGA = 2 ** 20;
const WEIGHTS = randomBytes(6 * MEGA);
const OBJECT = objectOf(WEIGHTS);
const MODEL = 'models/fraud/versions/1.0.0/model.onnx';
const never = new AbortController().signal;

interface World extends AsyncDisposable {
  folder: Folder;
  server: RemoteServer;
  url: string;
  lfs: string;
  warnings: string[];
  /** Runs git as a person in the clone, and returns what it traced. */
  traced(args: readonly string[], at?: string): Promise<string>;
}

/** An empty remote and a clone of it in `work/`, with git-lfs at work. */
async function world(): Promise<World> {
  const folder = await temporaryFolder();
  await folder.git(['init', '--quiet', '--bare', '--initial-branch=main', 'remote/models.git']);
  const warnings: string[] = [];
  const server = await remoteServer({
    directory: join(folder.path, 'remote'),
    log: { warn: (_, message) => warnings.push(message) },
  });
  await folder.git(['lfs', 'install', '--skip-repo']);
  await folder.git(['clone', '--quiet', server.url('models'), 'work']);
  await writeFile(join(folder.path, 'work/.gitattributes'), GIT_ATTRIBUTES);
  let traces = 0;
  return {
    folder,
    server,
    warnings,
    url: server.url('models'),
    lfs: `${server.url('models')}/info/lfs`,
    traced: async (args, at = 'work') => {
      const file = join(folder.path, `trace-${traces++}`);
      await folder.git(args, { at, env: { GIT_TRACE: file } });
      return readFile(file, 'utf8');
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function commit({ folder }: World, path: string, content: string | Buffer): Promise<void> {
  await mkdir(join(folder.path, 'work', path, '..'), { recursive: true });
  await writeFile(join(folder.path, 'work', path), content);
  await folder.git(['add', '--all'], { at: 'work' });
  await folder.git(['commit', '--quiet', '-m', `Add ${path}`], { at: 'work' });
}

describe.skipIf(!hasGitLfs())('remoteServer and the real git-lfs', () => {
  it('takes a push once, has it verified, and gives it to a clone, a fetch and a check', async () => {
    await using it = await world();
    const { folder } = it;
    await commit(it, MODEL, WEIGHTS);

    const trace = await it.traced(['push', '--quiet', 'origin', 'main']);
    await folder.git(['clone', '--quiet', it.url, 'other']);
    await commit(it, 'models/fraud/versions/2.0.0/model.onnx', 'more weights');
    await folder.git(['push', '--quiet', 'origin', 'main'], { at: 'work' });
    await folder.git(['fetch', '--quiet'], { at: 'other' });
    await folder.git(['lfs', 'fetch', 'origin', 'main'], { at: 'other' });
    await folder.git(['merge', '--quiet', '--ff-only', 'origin/main'], { at: 'other' });

    const again = await it.traced(['lfs', 'push', '--all', 'origin']);

    expect(trace).toMatch(/POST .*\/objects\/verify/);
    expect(again).toMatch(/POST .*\/objects\/batch/);
    expect(again).not.toMatch(/PUT .*\/objects\//);
    expect((await readFile(join(folder.path, 'other', MODEL))).equals(WEIGHTS)).toBe(true);
    expect(await readFile(join(folder.path, 'other/models/fraud/versions/2.0.0/model.onnx'), 'utf8')).toBe(
      'more weights',
    );
    expect(await folder.git(['lfs', 'fsck'], { at: 'other' })).toContain('OK');
    expect(await folder.git(['lfs', 'fsck', 'main'], { at: 'remote/models.git' })).toContain('OK');
    expect(it.warnings).toEqual([]);
  });

  it('lets it go on with a download that was cut', async () => {
    await using it = await world();
    await commit(it, MODEL, WEIGHTS);
    await it.folder.git(['push', '--quiet', 'origin', 'main'], { at: 'work' });
    await using proxy = await cuttingProxy(it.server.address.port, { afterBytes: 3 * MEGA, times: 1 });

    const trace = await it.traced(['clone', '--quiet', proxy.through(it.url), 'other'], '.');

    expect(proxy.cuts()).toBe(1);
    expect(trace).toMatch(/server accepted resume download request.* from byte \d+/);
    expect((await readFile(join(it.folder.path, 'other', MODEL))).equals(WEIGHTS)).toBe(true);
  });

  it('says that it keeps no locks, in words, and is not in the way of a push', async () => {
    await using it = await world();
    const { folder } = it;
    await commit(it, MODEL, 'weights');

    const trace = await it.traced(['push', 'origin', 'main']);

    expect(trace).toMatch(/locks\/verify/);
    expect(await folder.git(['config', '--get-regexp', 'locksverify'], { at: 'work' })).toMatch(/false$/);
    expect(await folder.git(['lfs', 'locks'], { at: 'work' })).toBe('');
    await expect(folder.git(['lfs', 'lock', MODEL], { at: 'work' })).rejects.toThrow(/keeps no locks/);
    await expect(folder.git(['lfs', 'unlock', '--id=7'], { at: 'work' })).rejects.toThrow(/keeps no locks/);
  });
});

describe.skipIf(!hasGitLfs())('lfsClient and the real git-lfs at one remote', () => {
  it('download what the other has pushed, over a line that is cut again and again', async () => {
    await using it = await world();
    await commit(it, MODEL, WEIGHTS);
    await it.folder.git(['push', '--quiet', 'origin', 'main'], { at: 'work' });
    await using proxy = await cuttingProxy(it.server.address.port, { afterBytes: 1.5 * MEGA, times: 3 });
    await using store = await artifactStore({
      directory: join(it.folder.path, 'cache'),
      source: lfsClient({
        url: proxy.through(it.lfs),
        clock: { now: () => Date.now(), sleep: async () => {} },
      }),
    });

    const path = await store.ensure(OBJECT, never);

    expect((await readFile(path)).equals(WEIGHTS)).toBe(true);
    expect(proxy.cuts()).toBe(3);
  });

  it('upload what the other pulls', async () => {
    await using it = await world();
    const file = join(it.folder.path, 'model.onnx');
    await writeFile(file, WEIGHTS);
    await lfsClient({ url: it.lfs }).upload([{ ...OBJECT, file }], never);
    // A pointer goes into the commit as it is, as register writes it.
    await commit(it, MODEL, formatPointer(OBJECT));
    await it.folder.git(['push', '--quiet', 'origin', 'main'], { at: 'work' });

    await it.folder.git(['clone', '--quiet', it.url, 'other']);

    expect((await readFile(join(it.folder.path, 'other', MODEL))).equals(WEIGHTS)).toBe(true);
    expect(await it.folder.git(['lfs', 'fsck'], { at: 'other' })).toContain('OK');
  });
});
