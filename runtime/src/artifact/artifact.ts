import type { Artifact } from '@switchback-ml/schemas';

/**
 * Where the bytes of a version come from. What is given out is a local file with exactly these bytes, proved by
 * their hash at this very call; nobody changes it afterwards.
 */
export interface Artifacts extends AsyncDisposable {
  /** The path of the file; pulls it first where it isn't there. Rejects with E_ARTIFACT_PULL: worth another try. */
  open(artifact: Pick<Artifact, 'sha256' | 'size'>, signal: AbortSignal): Promise<string>;
}
