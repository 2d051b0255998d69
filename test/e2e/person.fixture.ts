import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { BRANCH } from '../../demo/place.ts';

const run = promisify(execFile);

/** Somebody with a clone of their own and nothing but git. */
export class Person {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async clone(url: string, directory: string): Promise<Person> {
    await run('git', ['clone', '--quiet', '--branch', BRANCH, url, directory], { env: environment() });
    return new Person(directory);
  }

  /** `git revert` of a commit on top of what is there now, pushed; the new commit. */
  async revert(sha: string): Promise<string> {
    await this.#git('pull', '--quiet', '--ff-only');
    await this.#git('revert', '--no-edit', sha);
    return this.#push();
  }

  /** Writes files, commits and pushes them; the new commit. */
  async edit(message: string, files: Readonly<Record<string, string>>): Promise<string> {
    await this.#git('pull', '--quiet', '--ff-only');
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.#directory, path)), { recursive: true });
      await writeFile(join(this.#directory, path), text);
    }
    await this.#git('add', ...Object.keys(files));
    await this.#git('commit', '--quiet', '-m', message);
    return this.#push();
  }

  /** Removes a file or folder, commits and pushes that; the new commit. */
  async remove(message: string, path: string): Promise<string> {
    await this.#git('pull', '--quiet', '--ff-only');
    await this.#git('rm', '-r', '--quiet', path);
    await this.#git('commit', '--quiet', '-m', message);
    return this.#push();
  }

  /** Merges a branch that waits for a person, fast-forward where that is possible; the new head. */
  async merge(branch: string): Promise<string> {
    await this.#git('pull', '--quiet', '--ff-only');
    await this.#git('fetch', '--quiet', 'origin', branch);
    await this.#git('merge', '--quiet', '--no-edit', 'FETCH_HEAD');
    return this.#push();
  }

  /** Puts another commit in place of the newest one, by force; what had been there, and what is now. */
  async rewrite(
    message: string,
    files: Readonly<Record<string, string>>,
  ): Promise<{ before: string; after: string }> {
    await this.#git('pull', '--quiet', '--ff-only');
    const before = (await this.#git('rev-parse', 'HEAD')).trim();
    for (const [path, text] of Object.entries(files)) await writeFile(join(this.#directory, path), text);
    await this.#git('add', ...Object.keys(files));
    await this.#git('commit', '--quiet', '--amend', '-m', message);
    await this.#git('push', '--quiet', '--force');
    return { before, after: (await this.#git('rev-parse', 'HEAD')).trim() };
  }

  /** Puts the branch back to where it stood, by force. */
  async restore(commit: string): Promise<void> {
    await this.#git('reset', '--quiet', '--hard', commit);
    await this.#git('push', '--quiet', '--force');
  }

  /** Content of a path at the branch as the remote has it now; null when it is not there. */
  async read(path: string): Promise<string | null> {
    await this.#git('fetch', '--quiet');
    const listed = await this.#git('ls-tree', '--name-only', `origin/${BRANCH}`, path);
    return listed === '' ? null : this.#git('show', `origin/${BRANCH}:${path}`);
  }

  /** Bodies of the commits on the history ref, newest first. */
  async records(): Promise<string[]> {
    await this.#git('fetch', '--quiet', 'origin', 'refs/switchback/history');
    const log = await this.#git('log', '--format=%B%x00', 'FETCH_HEAD');
    return log
      .split('\0')
      .map(body => body.trim())
      .filter(body => body !== '');
  }

  async #push(): Promise<string> {
    await this.#git('push', '--quiet');
    return (await this.#git('rev-parse', 'HEAD')).trim();
  }

  async #git(...args: string[]): Promise<string> {
    const options = { cwd: this.#directory, env: environment(), maxBuffer: 16 * 2 ** 20 };
    return (await run('git', args, options)).stdout;
  }
}

/** Of no settings that this machine's owner happens to have. */
function environment(): NodeJS.ProcessEnv {
  const who = { NAME: 'Mei', EMAIL: 'mei@localhost' };
  return {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LFS_SKIP_SMUDGE: '1',
    ...Object.fromEntries(
      Object.entries(who).flatMap(([name, value]) => [
        [`GIT_AUTHOR_${name}`, value],
        [`GIT_COMMITTER_${name}`, value],
      ]),
    ),
  };
}
