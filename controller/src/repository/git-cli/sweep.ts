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
    ...(await namesIn(join(directory, 'objects/pack')))
      .filter(name => name.startsWith('tmp_'))
      .map(name => join(directory, 'objects/pack', name)),
  ];
  const swept = await Promise.all(candidates.map(path => removeStale(path, before)));
  return swept.filter(path => path !== null);
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
