import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Problem } from '@switchback-ml/schemas';
import { CommitSha } from '@switchback-ml/schemas';
import { desired, readingAhead } from '../desired/desired.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { Memory } from '../desired/memory.ts';
import { NO_HISTORY } from '../repository/history.ts';
import { LFS_CONFIG_PATH, lfsConfigProblems } from '../repository/lfs/lfs-config.ts';
import type { Progress } from './progress.ts';
import { removedVersions } from './validate/add-only.ts';
import { artifactHistory } from './validate/artifact-history.ts';
import { type Environment, findClone } from './validate/clone.ts';
import { type Folder, readFolder } from './validate/folder.ts';
import { mendable } from './validate/mending.ts';
import { type FolderPast, readPast } from './validate/past.ts';
import { checkVersions, type VersionsRequest } from './validate/versions.ts';

export interface ValidateOptions {
  /** A working folder with a model repository; need not be in git. */
  folder: string;
  signal: AbortSignal;
  progress?: Progress;
  /** Of the person, for the git settings of theirs; unless said, of this process. */
  environment?: Environment;
  /** How a graph is tried; unless said, in a process of its own, as a runtime would. */
  attempt?: VersionsRequest['attempt'];
  /** Whether graphs of versions that others have are tried too. */
  triesAll?: boolean;
}

export interface Validation {
  problems: readonly Problem[];
  /** What could not be looked at here, and where it will be. */
  notes: readonly string[];
  /** New versions whose graph was asked its golden rows. */
  tried: number;
  /** Versions whose graph could be and was not, since others have them. */
  untried: number;
  models: number;
  versions: number;
  environments: number;
}

/** Manifests between two looks at whether somebody wants it to stop. */
const AT_ONCE = 100;
const LARGEST_SETTINGS = 64 * 1024;
/** The working tree is no commit yet. */
const SHALLOW =
  'The clone is shallow: whether a version was changed before its first commit here is not known (git fetch --unshallow).';
const NO_COMMIT = CommitSha.parse('0'.repeat(40));

/**
 * What the controller would say of a folder if it were committed as it is, and a runtime of the versions that are new.
 * In a clone its past is read too: versions are add-only.
 */
export async function validate(options: ValidateOptions): Promise<Validation> {
  const {
    folder,
    signal,
    progress = () => {},
    environment = process.env,
    attempt,
    triesAll = false,
  } = options;
  progress(`listing ${folder}`);
  const clone = await findClone(folder, { environment, signal });
  const read = await readFolder({ folder, clone, environment, signal });
  progress('looking at the history of the clone');
  const past = clone && (await readPast(clone, signal));
  const state = await readDesired(read, past, { signal, progress });
  const versions = await checkVersions({
    ...{ folder, read, desired: state, past, signal, progress, triesAll },
    ...(attempt && { attempt }),
  });
  await using artifacts = artifactHistory(clone, past, signal);
  const problems = await mendable(state.problems, { read, past, artifacts });
  const removed = past ? await removedVersions(read.files, past, artifacts) : [];
  const own = await problemsOfSettings(folder);
  const { models, environments } = state;
  return {
    problems: [...own, ...problems, ...removed, ...versions.problems].sort(byPlace),
    notes: [...(past?.isShallow ? [SHALLOW] : []), ...versions.notes],
    tried: versions.tried,
    untried: versions.untried,
    models: models.size,
    versions: [...models.values()].reduce((count, { versions }) => count + versions.length, 0),
    environments: environments.size,
  };
}

async function readDesired(
  { files }: Folder,
  past: FolderPast | null,
  { signal, progress }: { signal: AbortSignal; progress: Progress },
): Promise<DesiredState> {
  const tree = { commit: past?.head ?? NO_COMMIT, files, history: past?.history ?? NO_HISTORY };
  const memory: Memory = new Map();
  for (const { read, of } of readingAhead(tree, memory)) {
    progress(`reading ${of} files`);
    if (read % AT_ONCE === 0) await setImmediate();
    signal.throwIfAborted();
  }
  return desired(tree, memory);
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
