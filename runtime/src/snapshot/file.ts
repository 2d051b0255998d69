import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ServingSnapshot } from '@switchback-ml/schemas';

/** The last good snapshot on disk: what a runtime starts from when the controller does not answer. */
export interface SnapshotFile {
  /** Null where there is none, or none that can be read: the controller's is awaited then. */
  read(): Promise<ServingSnapshot | null>;
  write(snapshot: ServingSnapshot): Promise<void>;
}

export const LARGEST_SNAPSHOT_BYTES = 32 * 2 ** 20;

export function snapshotFile(stateDir: string): SnapshotFile {
  const path = join(stateDir, 'snapshot.json');
  const unfinished = `${path}.part`;
  return {
    async read() {
      const size = await stat(path).then(
        found => found.size,
        () => null,
      );
      if (size === null || size > LARGEST_SNAPSHOT_BYTES) return null;
      const text = await readFile(path, 'utf8').catch(() => null);
      return text === null ? null : parseSnapshot(text);
    },
    async write(snapshot) {
      try {
        const file = await open(unfinished, 'w', 0o600);
        try {
          await file.writeFile(JSON.stringify(snapshot));
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(unfinished, path);
      } finally {
        await rm(unfinished, { force: true });
      }
    },
  };
}

/** Null for anything that this runtime doesn't fully understand, an unknown apiVersion included. */
export function parseSnapshot(text: string): ServingSnapshot | null {
  try {
    return ServingSnapshot.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
