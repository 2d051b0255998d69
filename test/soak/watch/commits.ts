import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BRANCH } from '../../../demo/place.ts';

const run = promisify(execFile);
const HISTORY_REF = 'refs/switchback/history';
const GIT_WITHIN_MS = 20_000;

export interface Commit {
  sha: string;
  subject: string;
  body: string;
  /** `M path`, `A path`, `D path`. */
  files: string[];
  seenAtMs: number;
}

/** The bare repository itself, past its server: what has been pushed, and whether anything pushed was taken back. */
export class CommitWatch {
  readonly commits: Commit[] = [];
  records = 0;
  /** Moves of a ref that were no extensions of it. */
  readonly rewrites: string[] = [];
  readonly #bare: string;
  readonly #heads = new Map<string, string>();

  constructor(bare: string) {
    this.#bare = bare;
  }

  async look(): Promise<void> {
    const branch = await this.#moved(`refs/heads/${BRANCH}`);
    if (branch) this.commits.push(...(await this.#log(branch)));
    const history = await this.#moved(HISTORY_REF);
    if (history) this.records = Number(await this.git('rev-list', '--count', HISTORY_REF));
  }

  /** In the bare repository. */
  async git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', ['--git-dir', this.#bare, ...args], {
      env: { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
      maxBuffer: 64 * 2 ** 20,
      timeout: GIT_WITHIN_MS,
    });
    return stdout;
  }

  /** What is new on a ref, as a range; null: nothing. */
  async #moved(ref: string): Promise<string | null> {
    const head = (await this.git('for-each-ref', '--format=%(objectname)', ref)).trim();
    const before = this.#heads.get(ref);
    if (head === '' || head === before) return null;
    this.#heads.set(ref, head);
    if (before === undefined) return head;
    const lost = Number(await this.git('rev-list', '--count', before, `^${head}`));
    if (lost > 0) this.rewrites.push(`${ref} lost ${lost} commits when it went from ${before} to ${head}`);
    return `${before}..${head}`;
  }

  async #log(range: string): Promise<Commit[]> {
    const format = '--format=%x01%H%x00%s%x00%b%x00';
    const seenAtMs = Date.now();
    const text = await this.git(
      'log',
      '--reverse',
      '--first-parent',
      '--name-status',
      '--no-renames',
      format,
      range,
    );
    return text
      .split('\x01')
      .slice(1)
      .map(entry => {
        const [sha = '', subject = '', body = '', files = ''] = entry.split('\0');
        const lines = files.split('\n').filter(line => line !== '');
        return { sha, subject, body, files: lines.map(line => line.replace('\t', ' ')), seenAtMs };
      });
  }
}
