import type { CommitSha } from '@switchback-ml/schemas';
import { createFsFromVolume, Volume } from 'memfs';

/** A remote in memory that several repositories share, with the moods that a real one has. */
export interface MemoryRemote {
  /** Object database; shared, since equal objects have equal ids anyway. */
  fs: ReturnType<typeof createFsFromVolume>;
  refs: Map<string, CommitSha>;
  /** Words with which every push is refused; null: accepted. */
  refusal: string | null;
  isReachable: boolean;
}

export const GIT_DIRECTORY = '/repository.git';

export function memoryRemote(): MemoryRemote {
  const volume = new Volume();
  volume.mkdirSync(`${GIT_DIRECTORY}/objects`, { recursive: true });
  return { fs: createFsFromVolume(volume), refs: new Map(), refusal: null, isReachable: true };
}
