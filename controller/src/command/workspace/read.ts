import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { STATE_FILES } from '../controller/state-directory.ts';
import { type PersonRequest, readRights } from './person.ts';
import { isFolder, type RepositoryTarget, repositoryTarget, type TargetOptions } from './target.ts';
import { workTreeAt } from './work-tree.ts';
import { type Look, openReader } from './workspace.ts';

/** What every verb that reads git takes. */
export interface ReadOptions extends TargetOptions, PersonRequest {}

/** Where an answer comes from, so that nobody takes a stale clone for the truth. */
export type Source =
  | {
      kind: 'git';
      repository: string;
      branch: string;
      /** Null: the branch has no commit. */
      commit: string | null;
      notes: readonly string[];
    }
  | { kind: 'controller'; address: string; notes: readonly string[] };

export interface Read {
  look: Look;
  source: Source;
}

/** The model repository as git has it now, with the person's own rights; no controller is needed. */
export async function readRepository(options: ReadOptions): Promise<Read> {
  const { signal } = options;
  const { environment } = await readRights(options);
  const target = await readingTarget(options, environment);
  const cache = existsSync(options.state) ? join(options.state, STATE_FILES.person) : null;
  await using reader = await openReader({ target, environment, cache });
  const look = await reader.look(signal);
  const { url: repository, branch } = target;
  return {
    look,
    source: { kind: 'git', repository, branch, commit: look.head, notes: notesOf(target, look) },
  };
}

/** What was said, else what the controller watches, else the clone that the person stands in. */
export async function readingTarget(
  options: ReadOptions,
  environment: Readonly<Record<string, string>>,
): Promise<RepositoryTarget> {
  const { repo, base, root, directory, signal } = options;
  if (repo === undefined && existsSync(join(options.state, STATE_FILES.controller)))
    return repositoryTarget(options);
  const folder = repo ?? directory;
  const tree = isFolder(folder) ? await workTreeAt(folder, { environment, signal }) : null;
  if (tree === null) return repositoryTarget(options);
  return {
    url: tree.folder,
    isDirectory: true,
    branch: base ?? tree.branch,
    root: (root ?? tree.root).replace(/^\/+|\/+$/g, ''),
  };
}

function notesOf({ url, isDirectory }: RepositoryTarget, { view }: Look): string[] {
  if (view.records.length > 0) return [];
  const fetch = 'git fetch origin refs/switchback/history:refs/switchback/history';
  const isClone = isDirectory && existsSync(join(url, '.git'));
  return [
    `It has no record of rollouts (refs/switchback/history)${isClone ? `; to have it in a clone: ${fetch}` : ''}.`,
  ];
}
