import { lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';

export const PARTS = ['ledger', 'logs', 'clone', 'artifacts', 'runtimes', 'other', 'remote'] as const;
export type Part = (typeof PARTS)[number];
export type Sizes = { atMs: number } & Record<Part, number>;

/** By path below the state directory; the first that fits. */
const PATHS: readonly [Part, RegExp][] = [
  ['ledger', /^ledger\.sqlite/],
  ['logs', /\.log(?:\.|$)/],
  ['clone', /^repository(?:\/|$)/],
  ['artifacts', /^artifacts(?:\/|$)/],
  ['runtimes', /^runtimes\//],
];

const BLOCK_BYTES = 512;

/** How much room each part takes now. */
export async function sizesOf(state: string, remote: string): Promise<Sizes> {
  const sizes: Sizes = {
    atMs: Date.now(),
    ledger: 0,
    logs: 0,
    clone: 0,
    artifacts: 0,
    runtimes: 0,
    other: 0,
    remote: 0,
  };
  await addFiles(state, path => partOf(path), sizes);
  await addFiles(remote, () => 'remote', sizes);
  return sizes;
}

export function partOf(path: string): Part {
  return PATHS.find(([, mark]) => mark.test(path))?.[0] ?? 'other';
}

/** What is removed meanwhile has no size. */
async function addFiles(directory: string, part: (path: string) => Part, sizes: Sizes): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const size = await lstat(file).then(
      stats => stats.blocks * BLOCK_BYTES,
      () => 0,
    );
    sizes[part(relative(directory, file))] += size;
  }
}
