import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Problem } from '@switchback-ml/schemas';
import { CommitSha } from '@switchback-ml/schemas';
import { desired, readingAhead } from '../desired/desired.ts';
import type { Memory } from '../desired/memory.ts';
import { NO_HISTORY } from '../repository/history.ts';
import { LFS_CONFIG_PATH, lfsConfigProblems } from '../repository/lfs/lfs-config.ts';
import type { Progress } from './progress.ts';
import { readFolder } from './validate/folder.ts';

export interface ValidateOptions {
  /** A working folder with a model repository; need not be in git. */
  folder: string;
  signal: AbortSignal;
  progress?: Progress;
}

export interface Validation {
  problems: readonly Problem[];
  models: number;
  versions: number;
  environments: number;
}

/** Manifests between two looks at whether somebody wants it to stop. */
const AT_ONCE = 100;
const LARGEST_SETTINGS = 64 * 1024;
/** The working tree is no commit yet. */
const NO_COMMIT = CommitSha.parse('0'.repeat(40));

/** What the controller would say of a folder if it were committed as it is; history plays no part. */
export async function validate({ folder, signal, progress }: ValidateOptions): Promise<Validation> {
  progress?.(`listing ${folder}`);
  const tree = { commit: NO_COMMIT, files: await readFolder(folder, signal), history: NO_HISTORY };
  const memory: Memory = new Map();
  for (const { read, of } of readingAhead(tree, memory)) {
    progress?.(`reading ${of} files`);
    if (read % AT_ONCE === 0) await setImmediate();
    signal.throwIfAborted();
  }
  const { problems, models, environments } = desired(tree, memory);
  return {
    problems: [...(await problemsOfSettings(folder)), ...problems].sort(byPlace),
    models: models.size,
    versions: [...models.values()].reduce((count, { versions }) => count + versions.length, 0),
    environments: environments.size,
  };
}

/** Of the folder's own `.lfsconfig`, if it has one. */
async function problemsOfSettings(folder: string): Promise<Problem[]> {
  const file = join(folder, LFS_CONFIG_PATH);
  const found = await stat(file).catch(() => null);
  if (found === null || found.size > LARGEST_SETTINGS) return [];
  return lfsConfigProblems(await readFile(file, 'utf8'));
}

function byPlace(a: Problem, b: Problem): number {
  return a.path === b.path ? (a.line ?? 0) - (b.line ?? 0) : a.path < b.path ? -1 : 1;
}
