import type { ArtifactSource } from '../repository/repository.ts';
import { type Failpoint, through } from './failpoint.ts';

/** A source of artifacts that can be cut off before the first byte, and after the last one, which nobody kept yet. */
export function failingArtifactSource(source: ArtifactSource, reach: Failpoint): ArtifactSource {
  return {
    download: (...args) => through(reach, 'artifact.download', () => source.download(...args)),
  };
}
