import type { ArtifactDigest, Instant } from '@switchback-ml/schemas';
import type { Clock } from './clock.ts';
import { messageOf, SwitchbackError } from './error.ts';
import type { LfsObject } from './repository/repository.ts';

/** Why an artifact could not be had when it was asked for last. */
export interface ArtifactFailure {
  code: string;
  message: string;
  /** Of the first failure in a row. */
  since: Instant;
}

/** By what is still missing; an object that came is not in it. */
export type ArtifactFailures = ReadonlyMap<ArtifactDigest, ArtifactFailure>;

interface Source {
  ensure(object: LfsObject, signal: AbortSignal): Promise<string>;
}

/** More versions than these are never on their way at once. */
const MOST_REMEMBERED = 1000;

/** The same source, which remembers what it could not give: a runtime that asks learns only that it has to wait. */
export function rememberingFailures(
  files: Source,
  clock: Pick<Clock, 'now'>,
): Source & { failures: () => ArtifactFailures } {
  const failures = new Map<ArtifactDigest, ArtifactFailure>();
  return {
    failures: () => failures,
    ensure: async (object, signal) => {
      try {
        const path = await files.ensure(object, signal);
        failures.delete(object.digest);
        return path;
      } catch (error) {
        if (!signal.aborted) remember(object.digest, error);
        throw error;
      }
    },
  };

  function remember(digest: ArtifactDigest, error: unknown): void {
    const { since = clock.now() } = failures.get(digest) ?? {};
    const code = error instanceof SwitchbackError ? error.code : 'E_INTERNAL';
    failures.delete(digest);
    failures.set(digest, { code, message: messageOf(error), since });
    const [oldest] = failures.keys();
    if (failures.size > MOST_REMEMBERED && oldest !== undefined) failures.delete(oldest);
  }
}
