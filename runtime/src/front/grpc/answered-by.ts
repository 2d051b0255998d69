import { Metadata } from '@grpc/grpc-js';
import { ANSWERED_BY, type Backend } from '@switchback-ml/schemas';
import { FALLBACK } from '../../inference/fallback.ts';
import { answeredBy } from '../../telemetry/answered-by.ts';

/**
 * Which revision spoke, as metadata: the very names that HTTP has for it, made once for each list of them. Not to be
 * changed. `commit`: of the snapshot that is served from.
 */
export function metadataOfAnswered(commit: () => string | undefined): (backend: Backend) => Metadata {
  const toldBy = answeredBy();
  const made = new WeakMap<readonly string[], Metadata>();
  return backend => {
    const headers = toldBy(backend, commit());
    const known = made.get(headers);
    if (known !== undefined) return known;
    const metadata = new Metadata();
    for (let index = 0; index < headers.length; index += 2)
      metadata.set(headers[index]!, headers[index + 1]!);
    made.set(headers, metadata);
    return metadata;
  };
}

/** The route's declared answer, and no revision, spoke. Not to be changed. */
export const BY_FALLBACK = ((): Metadata => {
  const metadata = new Metadata();
  metadata.set(ANSWERED_BY.version, FALLBACK);
  return metadata;
})();
