import { resolve } from 'node:path';
import { SwitchbackError } from '../../error.ts';
import { readControllerFile } from '../controller/state-directory.ts';

/** Which model repository, at which branch, in which of its folders. */
export interface RepositoryTarget {
  url: string;
  /** A bare repository in a folder of this machine. */
  isDirectory: boolean;
  branch: string;
  /** Folder of the model repository within the git repository; empty: its root. */
  root: string;
}

export interface TargetOptions {
  repo?: string | undefined;
  base?: string | undefined;
  root?: string | undefined;
  state: string;
}

/** What was said, else what the controller of the state directory watches. Throws E_USAGE when neither is there. */
export function repositoryTarget({ repo, base, root, state }: TargetOptions): RepositoryTarget {
  const watched = repo === undefined ? readControllerFile(state) : null;
  const where = repo ?? watched?.repository;
  if (where === undefined)
    throw new SwitchbackError(
      'E_USAGE',
      `Which model repository? Name it by --repo <url or folder>, or the state directory of its controller by --state (none runs on ${state}).`,
    );
  const isDirectory = isFolder(where);
  return {
    url: isDirectory ? resolve(where) : where,
    isDirectory,
    branch: base ?? watched?.branch ?? 'main',
    root: (root ?? watched?.root ?? '').replace(/^\/+|\/+$/g, ''),
  };
}

/** Neither `scheme://…` nor `user@host:…`. */
export function isFolder(where: string): boolean {
  return !/^[a-z][-+.a-z0-9]*:\/\//i.test(where) && !/^[^/\\]+@[^/\\]+:/.test(where);
}
