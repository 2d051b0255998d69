import { SwitchbackError } from '../../error.ts';
import { GIT_ATTRIBUTES, LFS_CONFIG } from '../../repository/lfs/tracked.ts';
import type { Look, Workspace } from '../workspace/workspace.ts';

const LARGEST_BYTES = 64 * 1024;

/**
 * What makes git treat the committed pointers as such in everybody's clone, where it is not there yet. A file that a
 * person wrote is kept, and extended only if it says nothing of LFS.
 */
export async function trackingEdits(
  { head }: Look,
  { repository, target: { root } }: Workspace,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const tree = new Map((await wholeTree()).map(({ path, blob }) => [path, blob]));
  const folder = root === '' ? '' : `${root}/`;
  const edits = new Map<string, string>();
  const own = await read(`${folder}.gitattributes`);
  const outer = root === '' ? null : await read('.gitattributes');
  if (!/filter=lfs/.test(`${own ?? ''}\n${outer ?? ''}`))
    edits.set('.gitattributes', joined(own, GIT_ATTRIBUTES));
  if (root === '' && !tree.has('.lfsconfig')) edits.set('.lfsconfig', LFS_CONFIG);
  return edits;

  async function wholeTree() {
    return head === null ? [] : repository.diff(null, head, signal);
  }

  async function read(path: string): Promise<string | null> {
    const blob = tree.get(path);
    if (!blob) return null;
    const content = await repository.readBlob(blob, LARGEST_BYTES, signal);
    if (content.kind === 'bytes') return Buffer.from(content.bytes).toString('utf8');
    throw new SwitchbackError(
      'E_FILE_KIND',
      `${path} is larger than 64 KiB; it can not be extended for LFS.`,
    );
  }
}

function joined(before: string | null, ours: string): string {
  if (before === null || before === '') return ours;
  return before.endsWith('\n') ? before + ours : `${before}\n${ours}`;
}
