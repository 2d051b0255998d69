import type { Problem } from '@switchback-ml/schemas';
import { CommitSha } from '@switchback-ml/schemas';
import { desired } from '../desired/desired.ts';
import { NO_HISTORY } from '../repository/history.ts';
import { readFolder } from './validate/folder.ts';

export interface ValidateOptions {
  /** A working folder with a model repository; need not be in git. */
  folder: string;
  signal: AbortSignal;
}

export interface Validation {
  problems: readonly Problem[];
  models: number;
  versions: number;
  environments: number;
}

/** The working tree is no commit yet. */
const NO_COMMIT = CommitSha.parse('0'.repeat(40));

/** What the controller would say of a folder if it were committed as it is; history plays no part. */
export async function validate({ folder, signal }: ValidateOptions): Promise<Validation> {
  const files = await readFolder(folder, signal);
  const { problems, models, environments } = desired({ commit: NO_COMMIT, files, history: NO_HISTORY });
  return {
    problems: [...problems].sort(byPlace),
    models: models.size,
    versions: [...models.values()].reduce((count, { versions }) => count + versions.length, 0),
    environments: environments.size,
  };
}

function byPlace(a: Problem, b: Problem): number {
  return a.path === b.path ? (a.line ?? 0) - (b.line ?? 0) : a.path < b.path ? -1 : 1;
}
