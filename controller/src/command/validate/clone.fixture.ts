import { execFile } from 'node:child_process';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Folder, temporaryFolder } from '../../remote/world.fixture.ts';
import { validate } from '../validate.ts';
import { openReader } from '../workspace/workspace.ts';

export const EXAMPLE = fileURLToPath(new URL('../../../../examples/model-repo', import.meta.url));
export const VERSION = 'models/screening/versions/1.0.0';
const signal = new AbortController().signal;
/** What graphs answer is tried by a test of its own. */
export const attempt = async (): Promise<void> => {};

export interface Clone extends AsyncDisposable {
  folder: Folder;
  work: string;
  /** Of the person, who has called `git lfs install`. */
  environment: Record<string, string>;
  git(...args: string[]): Promise<string>;
  /** As a person would paste it, in the clone. */
  shell(command: string, at?: string): Promise<void>;
  problems(at?: string): Promise<{ code: string; path: string; message: string; remedy: string }[]>;
  /** What the controller finds at the head of the remote. */
  remoteProblems(): Promise<readonly object[]>;
}

/** A clone of an empty remote with the example in it, not committed yet. */
export async function clone(attributes: string | null): Promise<Clone> {
  const folder = await temporaryFolder();
  await folder.git(['init', '--quiet', '--bare', '--initial-branch=main', 'models.git']);
  await folder.git(['lfs', 'install', '--skip-repo']).catch(() => {});
  await folder.git(['clone', '--quiet', 'models.git', 'work']).catch(() => {});
  const work = join(folder.path, 'work');
  await cp(EXAMPLE, work, { recursive: true });
  if (attributes !== null) await writeFile(join(work, '.gitattributes'), attributes);
  const environment = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: folder.path, GIT_CONFIG_NOSYSTEM: '1' },
    ...{ GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org' },
    ...{ GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.org' },
  };
  return {
    folder,
    work,
    environment,
    git: (...args) => folder.git(args, { at: 'work' }),
    shell: async (command, at = 'work') => {
      const cwd = join(folder.path, at);
      await promisify(execFile)('sh', ['-c', command], { cwd, env: environment, timeout: 30_000 });
    },
    problems: async (at = 'work') => {
      const found = await validate({ folder: join(folder.path, at), signal, attempt, environment });
      return [...found.problems];
    },
    remoteProblems: async () => {
      const url = join(folder.path, 'models.git');
      const target = { url, isDirectory: true, branch: 'main', root: '' };
      await using reader = await openReader({ target, environment: { HOME: folder.path }, cache: null });
      return (await reader.look(signal)).desired.problems;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

export async function pushed({ git }: Clone): Promise<string> {
  await git('add', '--all');
  await git('commit', '--quiet', '-m', 'begin');
  await git('push', '--quiet', '-u', 'origin', 'main');
  return (await git('rev-parse', '--short=7', 'HEAD')).trim();
}
