import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A commit of the branch as the observer's own clone shows it. */
export interface SeenCommit {
  sha: string;
  subject: string;
  body: string;
  /** When the observer's clone first had it. */
  seenAtMs: number;
  /** `M path`, `A path`, `D path`. */
  files: string[];
}

/** The observer's own clone of the model repository: fetched by the system's git, independent of the product. */
export class GitWatch {
  readonly #directory: string;
  readonly #branch: string;
  readonly #known = new Set<string>();

  private constructor(directory: string, branch: string) {
    this.#directory = directory;
    this.#branch = branch;
  }

  static async clone(url: string, directory: string, branch: string): Promise<GitWatch> {
    // LFS objects are not needed to read history, and a person's filters must not run.
    await run('git', ['clone', '--quiet', '--no-checkout', '--branch', branch, url, directory], {
      env: environment(),
    });
    const watch = new GitWatch(directory, branch);
    await watch.news();
    return watch;
  }

  /** Fetches, and gives the commits that were not there before, oldest first. Throws if history was not only extended. */
  async news(): Promise<SeenCommit[]> {
    await this.#git(
      'fetch',
      '--quiet',
      'origin',
      `refs/heads/${this.#branch}:refs/remotes/origin/${this.#branch}`,
    );
    const seenAtMs = Date.now();
    const list = await this.#git('rev-list', '--reverse', '--first-parent', `origin/${this.#branch}`);
    const fresh = list.split('\n').filter(sha => sha !== '' && !this.#known.has(sha));
    const commits: SeenCommit[] = [];
    for (const sha of fresh) {
      this.#known.add(sha);
      commits.push(await this.#read(sha, seenAtMs));
    }
    return commits;
  }

  /** Content of a path at a commit. */
  show(sha: string, path: string): Promise<string> {
    return this.#git('show', `${sha}:${path}`);
  }

  async #read(sha: string, seenAtMs: number): Promise<SeenCommit> {
    const [subject = '', body = ''] = (await this.#git('show', '--no-patch', '--format=%s%x00%b', sha)).split(
      '\0',
    );
    const files = await this.#git('show', '--first-parent', '--name-status', '--format=', sha);
    return {
      sha,
      subject,
      body,
      seenAtMs,
      files: files
        .split('\n')
        .filter(Boolean)
        .map(line => line.replace('\t', ' ')),
    };
  }

  async #git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', args, {
      cwd: this.#directory,
      env: environment(),
      maxBuffer: 64 * 2 ** 20,
    });
    return stdout;
  }
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, GIT_LFS_SKIP_SMUDGE: '1', GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
}
