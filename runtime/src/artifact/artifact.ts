import type { Artifact, ArtifactDigest } from '@switchback-ml/schemas';

/**
 * Where the bytes of a version come from. What is given out is a local file with exactly these bytes, proved by
 * their hash at this very call; nobody changes it afterwards.
 */
export interface Artifacts extends AsyncDisposable {
  /** The path of the file; pulls it first where it isn't there. Rejects with E_ARTIFACT_PULL: worth another try. */
  open(artifact: Pick<Artifact, 'sha256' | 'size'>, signal: AbortSignal): Promise<string>;
  /**
   * From now on these alone are needed: others are kept only as long as there is room for them. Whoever calls it names
   * all that is loaded, wanted, or in a snapshot that a restart would serve from.
   */
  keepOnly(needed: ReadonlySet<ArtifactDigest>): Promise<void>;
}
