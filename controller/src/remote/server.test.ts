import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type RemoteServer, type RemoteServerSettings, remoteServer } from './server.ts';
import { type Folder, temporaryFolder } from './world.fixture.ts';

interface World extends AsyncDisposable {
  folder: Folder;
  server: RemoteServer;
  pushes: string[];
}

async function world(settings: Partial<RemoteServerSettings> = {}): Promise<World> {
  const folder = await temporaryFolder();
  await folder.git(['init', '--quiet', '--bare', '--initial-branch=main', 'remote/models.git']);
  const pushes: string[] = [];
  const server = await remoteServer({
    directory: join(folder.path, 'remote'),
    onPush: name => pushes.push(name),
    ...settings,
  });
  return {
    folder,
    server,
    pushes,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function commitFile(folder: Folder, at: string, name: string, content: string): Promise<void> {
  await writeFile(join(folder.path, at, name), content);
  await folder.git(['add', name], { at });
  await folder.git(['commit', '--quiet', '-m', `Add ${name}`], { at });
}

async function hook(folder: Folder, name: string, script: string): Promise<void> {
  const hooks = join(folder.path, 'remote/models.git/hooks');
  await mkdir(hooks, { recursive: true });
  await writeFile(join(hooks, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(hooks, name), 0o755);
}

/** A request as it is, with a path and a host that no client would send. */
function raw(
  { address }: RemoteServer,
  { path, method = 'GET', headers = {} }: { path: string; method?: string; headers?: Record<string, string> },
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request({ host: address.address, port: address.port, path, method, headers, agent: false }, response => {
    response.resume().once('end', () => resolve(response.statusCode ?? 0));
  })
    .once('error', reject)
    .end();
  return promise;
}

describe('remoteServer', () => {
  it('serves clone, push and fetch to the real git, and says what was pushed', async () => {
    await using it = await world();
    const { folder, server } = it;
    await folder.git(['clone', '--quiet', server.url('models'), 'one']);
    await commitFile(folder, 'one', 'first.txt', 'one\n');
    await folder.git(['push', '--quiet', 'origin', 'main'], { at: 'one' });
    expect(it.pushes).toEqual(['models']);

    await folder.git(['clone', '--quiet', server.url('models'), 'two']);
    await commitFile(folder, 'one', 'large.bin', 'x'.repeat(3_000_000));
    await folder.git(['push', '--quiet', 'origin', 'main:main', 'main:refs/switchback/history'], {
      at: 'one',
    });
    await folder.git(['pull', '--quiet'], { at: 'two' });

    expect(it.pushes).toEqual(['models', 'models']);
    expect(await readFile(join(folder.path, 'two/large.bin'), 'utf8')).toHaveLength(3_000_000);
    expect(await folder.git(['ls-remote', server.url('models'), 'refs/switchback/history'])).toMatch(
      /^[0-9a-f]{40}\trefs\/switchback\/history$/,
    );
  });

  it('takes negotiations that git compresses', async () => {
    await using it = await world();
    const { folder, server } = it;
    await folder.git(['clone', '--quiet', server.url('models'), 'one']);
    await commitFile(folder, 'one', 'first.txt', 'one\n');
    await folder.git(['push', '--quiet', 'origin', 'main'], { at: 'one' });
    const head = await folder.git(['rev-parse', 'HEAD'], { at: 'one' });

    const answer = await fetch(`${server.url('models')}/git-upload-pack`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-git-upload-pack-request',
        'content-encoding': 'gzip',
        'git-protocol': 'version=2',
      },
      body: gzipSync('0014command=ls-refs\n0000'),
    });

    expect(await answer.text()).toContain(`${head} refs/heads/main`);
  });

  it('says nothing of a push that moved no ref', async () => {
    await using it = await world();
    const { folder, server } = it;
    await hook(folder, 'pre-receive', 'echo the branch is protected >&2; exit 1');
    await folder.git(['clone', '--quiet', server.url('models'), 'one']);
    await commitFile(folder, 'one', 'first.txt', 'one\n');

    const push = folder.git(['push', 'origin', 'main'], { at: 'one' });

    await expect(push).rejects.toThrow(/the branch is protected[\s\S]*pre-receive hook declined/);
    expect(it.pushes).toEqual([]);
  });

  it('stays up when who is told of a push throws', async () => {
    const warned: string[] = [];
    await using it = await world({
      onPush: () => {
        throw new Error('deaf');
      },
      log: { warn: (_, message) => warned.push(message) },
    });
    const { folder, server } = it;
    await folder.git(['clone', '--quiet', server.url('models'), 'one']);
    await commitFile(folder, 'one', 'first.txt', 'one\n');

    await folder.git(['push', '--quiet', 'origin', 'main'], { at: 'one' });

    expect(warned).toEqual(['who was told of a push failed']);
    expect(await folder.git(['ls-remote', server.url('models'), 'main'])).toContain('refs/heads/main');
  });

  it.each([
    ['a repository that is not there', '/other.git/info/refs?service=git-upload-pack', 404],
    ['a folder above', '/../models.git/info/refs?service=git-upload-pack', 200],
    ['an encoded folder above', '/..%2fmodels.git/info/refs?service=git-upload-pack', 404],
    ['a name with a capital', '/Models.git/info/refs?service=git-upload-pack', 404],
    ['a file of the repository', '/models.git/HEAD', 404],
    ['a file of the repository behind a service', '/models.git/git-upload-pack/../config', 404],
    ['the old protocol', '/models.git/info/refs', 404],
    ['another service', '/models.git/info/refs?service=git-upload-archive', 404],
    ['an object by a name that is none', '/models.git/info/lfs/objects/..%2f..%2fconfig', 404],
    ['a service by the wrong method', '/models.git/git-receive-pack', 405],
    ['no path', '*', 404],
  ])('answers %s with its status', async (_, path, status) => {
    await using it = await world();

    expect(await raw(it.server, { path })).toBe(status);
  });

  it('serves no folder whose name is no name of ours', async () => {
    await using it = await world();
    await it.folder.git(['init', '--quiet', '--bare', 'remote/Other.git']);

    expect(await raw(it.server, { path: '/Other.git/info/refs?service=git-upload-pack' })).toBe(404);
  });

  it('refuses who came here under a name of another host', async () => {
    await using it = await world();

    const status = await raw(it.server, {
      path: '/models.git/info/refs?service=git-upload-pack',
      headers: { host: 'rebound.example' },
    });

    expect(status).toBe(421);
  });

  it('listens on this machine alone', async () => {
    await expect(remoteServer({ directory: '/', host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'E_CONFIG',
    });
  });

  it('names the port that is taken', async () => {
    await using it = await world();
    const { port } = it.server.address;

    await expect(remoteServer({ directory: '/', port })).rejects.toMatchObject({
      code: 'E_PORT_TAKEN',
      message: expect.stringContaining(String(port)),
    });
  });

  it('ends a push under way, with its processes, when it is closed', async () => {
    await using it = await world();
    await using push = await haltedPush(it, 'exec sleep 600');

    await it.server.close();

    expect(await push.outcome).not.toBe(0);
    await gone(push.hook);
    expect(it.pushes).toEqual([]);
  });

  it('ends a hook that does not listen', async () => {
    await using it = await world();
    await using push = await haltedPush(it, `trap '' TERM HUP; while :; do sleep 600; done`);

    await it.server.close();

    await gone(push.hook);
  });

  it('ends the processes of a push whose client went away', async () => {
    await using it = await world();
    const push = await haltedPush(it, 'exec sleep 600');

    await push[Symbol.asyncDispose]();

    await gone(push.hook);
    expect(it.pushes).toEqual([]);
  });
});

interface HaltedPush extends AsyncDisposable {
  /** Process id of a hook on the server that never ends by itself. */
  hook: number;
  /** Exit code of the client. */
  outcome: Promise<number | null>;
}

async function haltedPush({ folder, server }: World, halt: string): Promise<HaltedPush> {
  const fifo = join(folder.path, 'hook.pid');
  execFileSync('mkfifo', [fifo]);
  await hook(folder, 'pre-receive', `echo $$ > "${fifo}"; ${halt}`);
  await folder.git(['clone', '--quiet', server.url('models'), 'one']);
  await commitFile(folder, 'one', 'first.txt', 'one\n');
  const client = spawn('git', ['push', '--quiet', 'origin', 'main'], {
    cwd: join(folder.path, 'one'),
    detached: true,
    stdio: 'ignore',
  });
  const outcome = once(client, 'exit').then(([code]) => code);
  return {
    hook: Number(await readFile(fifo, 'utf8')),
    outcome,
    [Symbol.asyncDispose]: async () => {
      if (client.pid !== undefined && client.exitCode === null) process.kill(-client.pid, 'SIGKILL');
      await outcome;
    },
  };
}

/** Ended, whether or not its parent has noticed; bounded by the test's own limit. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (commandLine === '') return;
  }
}
