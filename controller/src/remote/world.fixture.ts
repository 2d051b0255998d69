import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Folder extends AsyncDisposable {
  path: string;
  /** Runs git as a person would, in this folder or one below it; nothing of this machine's settings is read. */
  git(args: readonly string[], options?: { at?: string; env?: Record<string, string> }): Promise<string>;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'switchback-test-'));
  return {
    path,
    git: async (args, { at = '.', env = {} } = {}) => {
      const { stdout } = await run('git', [...args], {
        cwd: join(path, at),
        env: { ...personEnvironment(path), ...env },
        timeout: 30_000,
        maxBuffer: 64 * 2 ** 20,
      });
      return stdout.trimEnd();
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

function personEnvironment(home: string): Record<string, string> {
  const person = { NAME: 'Ada', EMAIL: 'ada@example.org', DATE: '@1700000000 +0000' };
  const roles = Object.entries(person).flatMap(([field, value]) => [
    [`GIT_AUTHOR_${field}`, value],
    [`GIT_COMMITTER_${field}`, value],
  ]);
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    ...Object.fromEntries(roles),
  };
}

/** Missing in CI is a failure, elsewhere a skip that says so. */
export function hasGitLfs(): boolean {
  const isHere = spawnSync('git', ['lfs', 'version'], { stdio: 'ignore' }).status === 0;
  if (!isHere && process.env['CI'] === 'true')
    throw new Error('git-lfs is missing; install it for these tests');
  if (!isHere)
    process.stderr.write('SKIPPED: git-lfs is missing, so our LFS was not tried against the real one\n');
  return isHere;
}
