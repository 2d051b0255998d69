import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ArtifactDigest } from '@switchback-ml/schemas';
import { lfsClient } from '../../../controller/src/repository/lfs/client.ts';
import { formatPointer } from '../../../controller/src/repository/lfs/pointer.ts';
import type { VersionFiles } from './model-repository.ts';

const run = promisify(execFile);
const GIT_MS = 30_000;

/** Somebody with a clone, who adds versions. */
export class Author {
  readonly #url: string;
  readonly #folder: string;
  readonly #signal: AbortSignal;

  private constructor(url: string, folder: string, signal: AbortSignal) {
    this.#url = url;
    this.#folder = folder;
    this.#signal = signal;
  }

  /** @param folder where the clone is made, and what else is needed; there is nothing yet */
  static async clone(url: string, folder: string, signal: AbortSignal): Promise<Author> {
    await mkdir(folder, { recursive: true });
    const author = new Author(url, folder, signal);
    await author.#git(['clone', '--quiet', url, 'clone'], folder);
    return author;
  }

  /** Sends the large files and commits their pointers, up to the push; the commit. */
  async commit({ manifest, large }: VersionFiles, message: string): Promise<string> {
    const objects = await Promise.all(
      large.map(async ({ sha256, bytes }) => {
        const file = join(this.#folder, sha256);
        await writeFile(file, bytes);
        return { digest: ArtifactDigest.parse(sha256), sizeBytes: bytes.length, file };
      }),
    );
    await lfsClient({ url: `${this.#url}/info/lfs` }).upload(objects, this.#signal);
    await this.#write(manifest.path, manifest.text);
    for (const [index, { path }] of large.entries()) await this.#write(path, formatPointer(objects[index]!));
    await this.#git(['add', '--all']);
    await this.#git(['commit', '--quiet', '-m', message]);
    return (await this.#git(['rev-parse', 'HEAD'])).trim();
  }

  async push(): Promise<void> {
    await this.#git(['push', '--quiet', 'origin', 'HEAD']);
  }

  async #write(path: string, text: string): Promise<void> {
    const file = join(this.#folder, 'clone', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  async #git(args: readonly string[], cwd = join(this.#folder, 'clone')): Promise<string> {
    const options = { cwd, env: ENVIRONMENT, signal: this.#signal, timeout: GIT_MS };
    const { stdout } = await run('git', [...args], options);
    return stdout;
  }
}

/** None of this machine's own settings, such as hooks and filters. */
const ENVIRONMENT = {
  ...process.env,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Bench',
  GIT_AUTHOR_EMAIL: 'bench@localhost',
  GIT_COMMITTER_NAME: 'Bench',
  GIT_COMMITTER_EMAIL: 'bench@localhost',
};
