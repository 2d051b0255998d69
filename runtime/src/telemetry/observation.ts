import type { EnvironmentName, InstanceId, Instant, RuntimeObservation } from '@switchback-ml/schemas';
import type { LoadedSet } from '../loaded-set.ts';
import type { Serving } from '../serving.ts';
import type { Counts } from './counts.ts';

/** One life of this process. */
export interface Instance {
  instanceId: InstanceId;
  environment: EnvironmentName;
  startedAt: Instant;
}

/** What this instance attests at `at`. */
export function observation(
  instance: Instance,
  { serving, loaded, counts }: { serving: Serving; loaded: LoadedSet; counts: Counts },
  at: Instant,
): RuntimeObservation {
  const routes = [...serving.routes].map(([model, { generation, backends }]) => [
    model,
    {
      generation,
      backends: backends.map(({ revision, version, digest, weight }) => ({
        revision,
        version,
        digest,
        weight,
      })),
    },
  ]);
  return {
    ...instance,
    pid: process.pid,
    at,
    snapshot: serving.snapshot?.generation ?? null,
    routes: Object.fromEntries(routes),
    loaded: loaded.describe(),
    counts: counts.all(),
  };
}
