import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactDigest, type Instant } from '@switchback-ml/schemas';

export interface Kept {
  digest: ArtifactDigest;
  sizeBytes: number;
  usedAt: Instant;
  /** What the file's own time says of it, which is not kept up with every use. */
  writtenAt: Instant;
}

/** Which objects are on the disk, how large, and when each was last asked for: over restarts its time of change says it. */
export class ObjectIndex {
  readonly #kept = new Map<ArtifactDigest, Kept>();
  #totalBytes = 0;

  static async read(objects: string): Promise<ObjectIndex> {
    const index = new ObjectIndex();
    const entries = await readdir(objects, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const digest = ArtifactDigest.safeParse(entry.name);
      if (!entry.isFile() || !digest.success) continue;
      const found = await stat(join(entry.parentPath, entry.name)).catch(() => null);
      if (!found) continue;
      const { size, mtimeMs } = found;
      index.put({ digest: digest.data, sizeBytes: size, usedAt: mtimeMs, writtenAt: mtimeMs });
    }
    return index;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(digest: ArtifactDigest): Kept | undefined {
    return this.#kept.get(digest);
  }

  put(kept: Kept): void {
    this.delete(kept.digest);
    this.#kept.set(kept.digest, kept);
    this.#totalBytes += kept.sizeBytes;
  }

  delete(digest: ArtifactDigest): void {
    this.#totalBytes -= this.#kept.get(digest)?.sizeBytes ?? 0;
    this.#kept.delete(digest);
  }

  digests(): ArtifactDigest[] {
    return [...this.#kept.keys()].sort();
  }

  leastRecentlyUsed(): Kept[] {
    return [...this.#kept.values()].sort((a, b) => a.usedAt - b.usedAt);
  }
}
