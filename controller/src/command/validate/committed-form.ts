import { BlobId } from '@switchback-ml/schemas';
import { BlobReader } from '../../repository/git-cli/blob-reader.ts';
import { parsePointer } from '../../repository/lfs/pointer.ts';
import type { Clone, Environment } from './clone.ts';
import { filesForLfs } from './lfs-attribute.ts';

/** Why git would hold the bytes of a file itself: what is amiss decides what mends it. */
export type RawReason =
  /** No line of .gitattributes sends it to LFS; the file is in no commit yet. */
  | 'no-attribute'
  /** One does, and this git has no filter that would do it: `git lfs install` was never called. */
  | 'no-filter'
  /** It is in git itself already, whatever .gitattributes says now. */
  | 'in-git';

/** What the next commit makes of a file whose own bytes lie in the folder; `pointer`: they go to LFS. */
type CommittedForm = 'pointer' | RawReason;

const POINTER_LIMIT_BYTES = 1024;

/**
 * What git turns into an LFS pointer on its way into a commit is one, though its bytes lie here. What is in git as it
 * is stays so, also under a right .gitattributes: git takes a file anew only when it was changed.
 *
 * @param paths in the folder, of files whose bytes lie there
 */
export async function committedForms(
  { folder, clone, paths }: { folder: string; clone: Clone; paths: readonly string[] },
  { environment, signal }: { environment: Environment; signal: AbortSignal },
): Promise<Map<string, CommittedForm>> {
  const tracked = new Set(await filesForLfs(folder, paths, { environment, signal }));
  // A manifest is edited now and then, and that is when git takes it anew.
  const lasting = paths.filter(path => !path.endsWith('.yaml'));
  const staged = await stagedForms(clone, new Set(lasting), signal);
  const hasFilter = (await clone.said('config', '--get-regexp', '^filter\\.lfs\\.(clean|process)$'))
    .split('\n')
    .some(line => / ./.test(line));
  const formOf = (path: string): CommittedForm => {
    if (staged.get(path) === 'raw') return 'in-git';
    if (!tracked.has(path)) return 'no-attribute';
    return hasFilter ? 'pointer' : 'no-filter';
  };
  return new Map(paths.map(path => [path, formOf(path)]));
}

/** Of those that the next commit has, as things stand; what was never added is not among them. */
async function stagedForms(
  { git, root }: Clone,
  paths: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Map<string, 'raw' | 'pointer'>> {
  const args = ['ls-files', '--stage', '-z', '--', `${root}models`, `${root}environments`];
  const { stdout } = await git.run({ args, signal });
  const forms = new Map<string, 'raw' | 'pointer'>();
  await using blobs = new BlobReader(git);
  // Each entry is `mode blob stage`, a tab, and the path from the top of the repository.
  for (const entry of stdout.toString('utf8').split('\0')) {
    const tab = entry.indexOf('\t');
    const path = entry.slice(tab + 1 + root.length);
    if (tab < 0 || !paths.has(path)) continue;
    const blob = BlobId.parse(entry.split(' ')[1]);
    const content = await blobs.read(blob, POINTER_LIMIT_BYTES, signal);
    const isPointer = content.kind === 'bytes' && parsePointer(content.bytes).kind === 'pointer';
    forms.set(path, isPointer ? 'pointer' : 'raw');
  }
  return forms;
}
