import { BlobId } from '@switchback-ml/schemas';
import git, { type TreeEntry } from 'isomorphic-git';
import type { Change } from '../repository.ts';
import { GIT_DIRECTORY, type MemoryRemote } from './remote.ts';

export interface FlatEntry {
  mode: string;
  oid: string;
}
/** Every file of a tree by its full path. */
export type FlatTree = Map<string, FlatEntry>;

export async function readFlatTree(remote: MemoryRemote, oid: string, folder = ''): Promise<FlatTree> {
  const { tree } = await git.readTree({ fs: remote.fs, gitdir: GIT_DIRECTORY, oid });
  const files: FlatTree = new Map();
  for (const entry of tree) {
    const path = folder + entry.path;
    if (entry.type !== 'tree') files.set(path, { mode: entry.mode, oid: entry.oid });
    else
      for (const [inner, file] of await readFlatTree(remote, entry.oid, `${path}/`)) files.set(inner, file);
  }
  return files;
}

export async function writeFlatTree(remote: MemoryRemote, files: FlatTree): Promise<string> {
  const folders = new Map<string, FlatTree>();
  const entries: TreeEntry[] = [];
  for (const [path, file] of files) {
    const slash = path.indexOf('/');
    if (slash === -1) {
      entries.push({
        mode: file.mode,
        oid: file.oid,
        path,
        type: file.mode === '160000' ? 'commit' : 'blob',
      });
      continue;
    }
    const name = path.slice(0, slash);
    const folder: FlatTree = folders.get(name) ?? new Map();
    folders.set(name, folder.set(path.slice(slash + 1), file));
  }
  for (const [path, inner] of folders) {
    entries.push({ mode: '040000', oid: await writeFlatTree(remote, inner), path, type: 'tree' });
  }
  return git.writeTree({ fs: remote.fs, gitdir: GIT_DIRECTORY, tree: entries });
}

export function diffFlatTrees(from: FlatTree, to: FlatTree): Change[] {
  const changes: Change[] = [];
  for (const [path, { mode, oid }] of to) {
    const before = from.get(path);
    if (before?.oid !== oid || before.mode !== mode) changes.push({ path, blob: BlobId.parse(oid), mode });
  }
  for (const [path, { mode }] of from) if (!to.has(path)) changes.push({ path, blob: null, mode });
  return changes;
}
