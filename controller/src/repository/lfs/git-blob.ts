import type { ArtifactDigest, BlobId } from '@switchback-ml/schemas';
import { INTO_LFS } from '../../desired/lfs-remedy.ts';
import { SwitchbackError } from '../../error.ts';
import type { CommitSource } from '../repository.ts';
import type { ResumableSource } from './resumable-source.ts';

/** A raw artifact is held in memory whole, unlike one in LFS. */
const LARGEST_RAW = 64 * 2 ** 20;

export interface GitBlobSettings {
  commits: Pick<CommitSource, 'readBlob'>;
  /** The blob with these bytes in a commit that was read; null when none has them. */
  find(digest: ArtifactDigest): BlobId | null;
  /** Asked for what is not in git itself. */
  otherwise?: ResumableSource;
  limitBytes?: number;
}

/** Artifacts that were committed as they are, without LFS. */
export function gitBlobs({
  commits,
  find,
  otherwise,
  limitBytes = LARGEST_RAW,
}: GitBlobSettings): ResumableSource {
  return {
    download: async (object, write, signal, beginning) => {
      const { digest } = object;
      const blob = find(digest);
      if (blob === null) {
        if (otherwise !== undefined) return otherwise.download(object, write, signal, beginning);
        throw unusable(digest, 'is in no commit that was read');
      }
      const content = await commits.readBlob(blob, limitBytes, signal);
      if (content.kind === 'bytes') return write(content.bytes);
      throw unusable(
        digest,
        `is committed without LFS and has ${content.sizeBytes} bytes, more than ${limitBytes}`,
      );
    },
  };
}

function unusable(digest: ArtifactDigest, why: string): SwitchbackError {
  return new SwitchbackError('E_LFS_OBJECT', `The artifact ${digest} ${why}. Put it into LFS: ${INTO_LFS}`, {
    details: { digest },
  });
}
