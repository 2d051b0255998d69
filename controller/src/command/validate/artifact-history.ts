import type { Artifact, BlobId, CommitSha } from '@switchback-ml/schemas';
import { BlobReader } from '../../repository/git-cli/blob-reader.ts';
import { readFile } from '../../repository/read-file.ts';
import type { Clone } from './clone.ts';
import type { FolderPast } from './past.ts';

/** What the files of versions were in the commits of this clone. */
export interface ArtifactHistory extends AsyncDisposable {
  /** The newest commit that left the file as a manifest names it; null: none did. */
  lastRight(path: string, said: Pick<Artifact, 'sha256' | 'size'>): Promise<CommitSha | null>;
}

export function artifactHistory(
  clone: Clone | null,
  past: FolderPast | null,
  signal: AbortSignal,
): ArtifactHistory {
  const blobs = clone && new BlobReader(clone.git);
  const readBlob = (blob: BlobId, limitBytes: number, until: AbortSignal) =>
    blobs?.read(blob, limitBytes, until) ?? Promise.resolve({ kind: 'too-large' as const, sizeBytes: 0 });
  return {
    lastRight: async (path, { sha256, size }) => {
      for (const { commit, blob, mode } of past?.files.get(path)?.toReversed() ?? []) {
        if (blob === null) continue;
        const file = await readFile({ readBlob }, { path, blob, mode }, signal);
        if (!('sizeBytes' in file) || file.sizeBytes !== size) continue;
        // What is too large to be read was right if it could be: nobody loses a version by that.
        if (file.digest === sha256 || file.digest === null) return commit;
      }
      return null;
    },
    [Symbol.asyncDispose]: async () => blobs?.[Symbol.asyncDispose](),
  };
}
