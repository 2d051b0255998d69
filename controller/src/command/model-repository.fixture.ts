import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seedRepository } from '../remote/seed.ts';
import type { GitOptions } from './workspace/open.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/model-repo', import.meta.url));
export const CANDIDATES = fileURLToPath(new URL('../../../examples/candidates', import.meta.url));
export const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };

/** A bare model repository in a folder of its own, and a person who may write to it. */
export interface ModelRepository extends AsyncDisposable {
  folder: string;
  bare: string;
  git(...args: string[]): string;
  /** What the person gives to a verb; `repo` is the bare repository. */
  options: GitOptions;
  /** As it stands now, to go its own way. */
  copy(): Promise<ModelRepository>;
}

/** Copies of one seeding, since that is what takes time. */
export async function modelRepositories(): Promise<{ make(): Promise<ModelRepository> } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-command-seed-'));
  const bare = join(folder, 'models.git');
  await seedRepository({
    bare,
    from: EXAMPLE,
    branch: 'main',
    message: 'begin',
    at: 1_760_000_000_000,
    author: ADA,
  });
  return {
    make: () => copyOf(bare),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function copyOf(seeded: string): Promise<ModelRepository> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-command-'));
  const bare = join(folder, 'models.git');
  await cp(seeded, bare, { recursive: true });
  return {
    folder,
    bare,
    git: (...args) =>
      execFileSync('git', ['-C', bare, ...args], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: folder },
      }),
    options: {
      repo: bare,
      state: join(folder, 'no-state'),
      directory: folder,
      environment: personOf(folder),
      signal: new AbortController().signal,
    },
    copy: () => copyOf(bare),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Variables of a person whose home is `folder`. */
export function personOf(folder: string): Record<string, string> {
  return { HOME: folder, GIT_AUTHOR_NAME: ADA.name, GIT_AUTHOR_EMAIL: ADA.email };
}
