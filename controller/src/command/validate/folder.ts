import { createHash } from 'node:crypto';
import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobId } from '@switchback-ml/schemas';
import type { RepositoryFile } from '../../desired/desired-state.ts';
import { SwitchbackError } from '../../error.ts';
import { hashFile } from '../../repository/lfs/object-folder.ts';
import { isOurs, readFile } from '../../repository/read-file.ts';
import type { CommitSource } from '../../repository/repository.ts';
import type { Clone, Environment } from './clone.ts';
import { committedForms, type RawReason } from './committed-form.ts';

const MOST_FILES = 50_000;

export interface Folder {
  files: ReadonlyMap<string, RepositoryFile>;
  /** Paths whose own bytes lie here, whatever git makes of them; not so where a clone left a pointer. */
  present: ReadonlySet<string>;
  /** Those that git holds itself, or would after the next commit; empty outside a repository, where nobody knows. */
  raw: ReadonlyMap<string, RawReason>;
}

interface FolderRequest {
  folder: string;
  clone: Clone | null;
  environment: Environment;
  signal: AbortSignal;
}

/** The files of a working folder as the controller's reader would find them in a commit of it. */
export async function readFolder(request: FolderRequest): Promise<Folder> {
  const { folder, signal } = request;
  const paths = (await listPaths(folder)).filter(isOurs);
  if (paths.length === 0)
    throw new SwitchbackError(
      'E_NOT_FOUND',
      `${folder} holds no model repository: there is neither models/ nor environments/ in it. Name its folder by --repo.`,
    );
  const files = new Map<string, RepositoryFile>();
  for (const path of paths) files.set(path, await readAsCommitted(folder, path, signal));
  const present = new Set([...files].filter(([, { kind }]) => kind === 'raw').map(([path]) => path));
  return { files, present, raw: await asCommitted(files, request) };
}

async function listPaths(folder: string): Promise<string[]> {
  const paths: string[] = [];
  const waiting = ['models', 'environments'];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const entries = await readdir(join(folder, at), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = `${at}/${entry.name}`;
      if (entry.isDirectory()) waiting.push(path);
      else paths.push(path);
    }
    if (paths.length > MOST_FILES)
      throw new SwitchbackError(
        'E_FILE_KIND',
        `${folder} has more than ${MOST_FILES} files below models/ and environments/.`,
      );
  }
  return paths.sort();
}

async function readAsCommitted(folder: string, path: string, signal: AbortSignal): Promise<RepositoryFile> {
  const file = join(folder, path);
  const isLink = (await lstat(file)).isSymbolicLink();
  const change = { path, blob: blobIdFor(path), mode: isLink ? '120000' : '100644' };
  const found = await readFile(workingTree(file), change, signal);
  return found.kind === 'manifest' ? { ...found, blob: blobOf(found.text) } : found;
}

/** As git would name it, so that what is as it was is seen to be so at once. */
function blobOf(text: string): BlobId {
  const bytes = Buffer.from(text);
  return BlobId.parse(createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'));
}

/** One file of the disk in the place of a blob. */
function workingTree(file: string): CommitSource {
  const refuse = (): never => {
    throw new SwitchbackError('E_INTERNAL', 'A working folder has no commits.');
  };
  return {
    fetch: refuse,
    diff: refuse,
    history: refuse,
    isAncestor: refuse,
    readBlob: async (_blob, limitBytes) => {
      const { size } = await stat(file);
      if (size > limitBytes) return { kind: 'too-large', sizeBytes: size };
      await using handle = await open(file, 'r');
      return { kind: 'bytes', bytes: await handle.readFile() };
    },
  };
}

/** What is large need not be hashed for git as well; the path stands for it, once in one run. */
function blobIdFor(path: string): BlobId {
  return BlobId.parse(createHash('sha1').update(path).digest('hex'));
}

/** Puts pointers in the place of what git sends through LFS; gives the rest of what could be so sent. */
async function asCommitted(
  files: Map<string, RepositoryFile>,
  { folder, clone, environment, signal }: FolderRequest,
): Promise<Map<string, RawReason>> {
  const raw = new Map<string, RawReason>();
  const paths = [...files]
    .filter(([, { kind }]) => kind === 'raw' || kind === 'manifest')
    .map(([path]) => path);
  if (clone === null) return raw;
  for (const [path, form] of await committedForms({ folder, clone, paths }, { environment, signal })) {
    if (form === 'pointer') files.set(path, await pointerOf(folder, path, signal));
    else if (files.get(path)?.kind === 'raw') raw.set(path, form);
  }
  return raw;
}

async function pointerOf(folder: string, path: string, signal: AbortSignal): Promise<RepositoryFile> {
  await using handle = await open(join(folder, path), 'r');
  const object = await hashFile(handle, signal);
  return { blob: blobIdFor(path), mode: '100644', kind: 'pointer', ...object };
}
