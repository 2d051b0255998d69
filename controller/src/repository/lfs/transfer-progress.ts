import type { ArtifactDigest } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';

/** How far one object is. */
export interface TransferProgress {
  operation: 'download' | 'upload';
  digest: ArtifactDigest;
  bytes: number;
  totalBytes: number;
}

/** Must return at once, and not throw. */
export type OnProgress = (progress: TransferProgress) => void;

const EVERY_MS = 250;

/** The first word of an object, the last one, and between them so many as a person can read. */
export function throttledProgress(
  tell: OnProgress,
  clock: Pick<Clock, 'now'>,
  everyMs = EVERY_MS,
): OnProgress {
  const toldAt = new Map<string, number>();
  return progress => {
    const { operation, digest, bytes, totalBytes } = progress;
    const key = `${operation} ${digest}`;
    const now = clock.now();
    const isLast = bytes >= totalBytes;
    const at = toldAt.get(key);
    if (!isLast && at !== undefined && now >= at && now - at < everyMs) return;
    if (isLast) toldAt.delete(key);
    else toldAt.set(key, now);
    tell(progress);
  };
}
