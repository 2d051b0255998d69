import { ARTIFACT_PATH, SNAPSHOT_PATH } from '@switchback-ml/schemas';
import { FirstSeen } from '../registry/first-seen.ts';
import { describe } from './openapi.ts';
import type { Route } from './route.ts';
import { nudge, personVerb } from './routes/deployments.ts';
import { events } from './routes/events.ts';
import { description, health, metrics, readiness } from './routes/process.ts';
import { history, models, operations, status, versions } from './routes/registry.ts';
import { acceptRewrite } from './routes/repository.ts';
import { artifact, snapshot } from './routes/runtime.ts';
import { whyNotThere } from './routes/why-not.ts';
import type { ServerWorld } from './world.ts';

const API = '/api/v1alpha1';
const DEPLOYMENT = `${API}/environments/:environment/models/:model`;
/** A reason and a name, with room to spare. */
const WISH_BYTES = 4096;

/** All that is served, who may do it, and how much they may send. What is not here does not exist. */
// biome-ignore format: a table is read by its columns
export function routes(world: ServerWorld, version: string): Route[] {
  const person = { method: 'POST', scope: 'operator', bodyLimitBytes: WISH_BYTES } as const;
  const read = { method: 'GET', scope: 'operator', bodyLimitBytes: 0 } as const;
  const pull = { method: 'GET', scope: 'runtime', bodyLimitBytes: 0 } as const;
  const open = { method: 'GET', scope: 'anybody', bodyLimitBytes: 0 } as const;
  const seen = new FirstSeen();
  const table: Route[] = [
    { ...open, path: '/healthz', verb: 'read-health', endpoint: health() },
    { ...open, path: '/readyz', verb: 'read-health', endpoint: readiness(world) },
    { ...open, path: '/metrics', verb: 'read-metrics', endpoint: metrics(world) },
    { ...open, path: `${API}/openapi.json`, verb: 'read-description', endpoint: description(() => describe(table, version)) },
    { ...read, path: `${API}/status`, verb: 'read-status', endpoint: status(world, seen) },
    { ...read, path: `${API}/models`, verb: 'read-models', endpoint: models(world) },
    { ...read, path: `${API}/models/:model/versions`, verb: 'read-models', endpoint: versions(world) },
    { ...read, path: `${API}/history`, verb: 'read-history', endpoint: history(world) },
    { ...read, path: `${API}/operations`, verb: 'read-operations', endpoint: operations(world) },
    { ...read, path: `${API}/events`, verb: 'read-events', endpoint: events(world) },
    { ...read, path: `${DEPLOYMENT}/why-not`, verb: 'read-status', endpoint: whyNotThere(world, seen) },
    { ...person, path: `${DEPLOYMENT}/rollback`, verb: 'rollback', endpoint: personVerb(world, 'rollback') },
    { ...person, path: `${DEPLOYMENT}/abort`, verb: 'abort', endpoint: personVerb(world, 'abort') },
    { ...person, path: `${DEPLOYMENT}/pause`, verb: 'pause', endpoint: personVerb(world, 'pause') },
    { ...person, path: `${DEPLOYMENT}/resume`, verb: 'resume', endpoint: personVerb(world, 'resume') },
    { ...person, path: `${API}/repository/accept-rewrite`, verb: 'accept-rewrite', endpoint: acceptRewrite(world) },
    { ...person, path: `${API}/nudge`, verb: 'nudge', endpoint: nudge(world) },
    { ...pull, path: SNAPSHOT_PATH, verb: 'pull-snapshot', endpoint: snapshot(world) },
    { ...pull, path: ARTIFACT_PATH, verb: 'pull-artifact', endpoint: artifact(world) },
  ];
  return table;
}
