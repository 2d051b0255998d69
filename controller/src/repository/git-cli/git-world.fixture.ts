import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RepositoryWorld } from '../repository.contract.ts';
import type { Repository } from '../repository.ts';
import { type GitRepositorySettings, gitRepository } from './index.ts';

const run = promisify(execFile);

/** For tests: a folder with a real bare repository, and clones of it by its path or by an address. */
export interface GitWorld extends RepositoryWorld {
  folder: string;
  /** The bare repository that is the remote. */
  bare: string;
  /** Takes back `disconnect`. */
  connect(): Promise<void>;
  openWith(settings: Partial<GitRepositorySettings>): Promise<Repository>;
  /** The plain git that a person uses; never our adapter. Gives what it printed. */
  git(args: readonly string[], options?: { cwd?: string; input?: string | Buffer }): Promise<string>;
}

export async function gitWorld(urlOf: (bare: string) => string = bare => bare): Promise<GitWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-git-'));
  const bare = join(folder, 'remote.git');
  const opened: Repository[] = [];

  const git: GitWorld['git'] = async (args, { cwd = folder, input } = {}) => {
    const running = run('git', args, { cwd, env: personEnvironment(folder), maxBuffer: 64 * 1024 * 1024 });
    // A git that needs no input may end before it was given any.
    running.child.stdin?.on('error', () => {});
    running.child.stdin?.end(input);
    return (await running).stdout.trim();
  };
  await git(['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  const openWith: GitWorld['openWith'] = async settings => {
    const directory = join(folder, `clone-${opened.length}`);
    const repository = await gitRepository({ url: urlOf(bare), directory, allowFile: true, ...settings });
    opened.push(repository);
    return repository;
  };

  return {
    folder,
    bare,
    git,
    openWith,
    open: () => openWith({}),
    refusePushes: async words => {
      const hook = join(bare, 'hooks/pre-receive');
      await writeFile(hook, `#!/bin/sh\nprintf '\\033[31m%s\\033[0m\\n' '${words}' >&2\nexit 1\n`);
      await chmod(hook, 0o755);
    },
    disconnect: () => rename(bare, `${bare}.away`),
    connect: () => rename(`${bare}.away`, bare),
    [Symbol.asyncDispose]: async () => {
      for (const repository of opened) await repository[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A person's git: no settings of this machine, a name, and no questions. */
function personEnvironment(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Grace Hopper',
    GIT_AUTHOR_EMAIL: 'grace@example.org',
    GIT_COMMITTER_NAME: 'Grace Hopper',
    GIT_COMMITTER_EMAIL: 'grace@example.org',
  };
}
