import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Instant } from '@switchback-ml/schemas';

/**
 * Removes what a killed git left behind: `*.lock` beside refs, which would block the next fetch, and half packs,
 * which would fill the disk. `before`: only what was last written earlier.
 */
export async function sweep(directory: string, before: Instant): Promise<string[]> {
  const candidates = [
    ...(await namesIn(directory)).filter(isLock).map(name => join(directory, name)),
    ...(await namesIn(join(directory, 'refs'), true))
      .filter(isLock)
      .map(name => join(directory, 'refs', name)),
    ...(await namesIn(join(directory, 'objects/info'), true))
      .filter(isLock)
      .map(name => join(directory, 'objects/info', name)),
    ...(await namesIn(join(directory, 'objects/pack')))
      .filter(name => name.startsWith('tmp_') || name.startsWith('.tmp-') || isLock(name))
      .map(name => join(directory, 'objects/pack', name)),
  ];
  const swept = await Promise.all(candidates.map(path => removeStale(path, before)));
  return swept.filter(path => path !== null);
}

/** Loose objects, all of them; a half one that was left long ago is removed on the way. */
export async function looseObjects(directory: string, before: Instant): Promise<number> {
  const objects = join(directory, 'objects');
  let count = 0;
  for (const folder of await namesIn(objects)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    const names = await namesIn(join(objects, folder));
    const half = names.filter(name => name.startsWith('tmp_obj_'));
    for (const name of half) await removeStale(join(objects, folder, name), before);
    count += names.length - half.length;
  }
  return count;
}

export async function packCount(directory: string): Promise<number> {
  return (await namesIn(join(directory, 'objects/pack'))).filter(name => name.endsWith('.pack')).length;
}

/** Bytes of packs that are being received. */
export async function incomingBytes(directory: string): Promise<number> {
  const pack = join(directory, 'objects/pack');
  const names = (await namesIn(pack)).filter(name => name.startsWith('tmp_pack_'));
  const sizes = await Promise.all(
    names.map(async name => (await stat(join(pack, name)).catch(() => null))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function isLock(name: string): boolean {
  return name.endsWith('.lock');
}

async function namesIn(folder: string, recursive = false): Promise<string[]> {
  return readdir(folder, { recursive }).catch(() => []);
}

async function removeStale(path: string, before: Instant): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.mtimeMs > before) return null;
  await rm(path, { force: true });
  return path;
}
