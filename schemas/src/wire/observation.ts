import { z } from 'zod';
import {
  EnvironmentName,
  InstanceId,
  ModelName,
  RevisionId,
  VersionDigest,
  VersionLabel,
} from '../identity.ts';

export const LoadState = z.enum(['pulling', 'loading', 'ready', 'failed']);
export type LoadState = z.infer<typeof LoadState>;

/**
 * Why an engine was replaced. died: by itself. hung: its heartbeat stayed away. late: a request's deadline passed.
 * wrong: its heartbeat answered otherwise than it had to. bloated: it held more memory than it may.
 */
export const Replacement = z.object({
  at: z.number(),
  cause: z.enum(['died', 'hung', 'late', 'wrong', 'bloated']),
  reason: z.string(),
});
export type Replacement = z.infer<typeof Replacement>;

/** What one instance says of one revision it was asked to have. */
export const Loaded = z.object({
  model: ModelName,
  revision: RevisionId,
  version: VersionLabel,
  /** As the snapshot names it. */
  digest: VersionDigest,
  /** Worked out again from the bytes that were loaded; absent until some were. Another than `digest`: diverged. */
  attested: VersionDigest.optional(),
  state: LoadState,
  /** An error code of ours and a sentence; present when failed. */
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
  /** When a failed one is tried again; absent: not before another snapshot, its bytes are at fault. */
  retryAt: z.number().optional(),
  /** The newest few, oldest first. */
  replaced: z.array(Replacement).optional(),
  since: z.number(),
  /** It is ready, has no engine now, and is woken by its first request. */
  asleep: z.literal(true).optional(),
  /** Of one engine, warm: as measured last, also while it sleeps. */
  memoryBytes: z.number().nonnegative().optional(),
  /** What its last load took. */
  loadMs: z.number().nonnegative().optional(),
  /** Of the engine process that holds it; of several, the first. */
  pid: z.int().optional(),
  /** Of all engine processes that hold it. */
  pids: z.array(z.int()).optional(),
});
export type Loaded = z.infer<typeof Loaded>;

/** Cumulative since the instance started, so that they add up across instances and survive a missed look. */
export const Tally = z.object({ good: z.int().nonnegative(), total: z.int().nonnegative() });
export type Tally = z.infer<typeof Tally>;

export const RevisionCounts = z.object({
  model: ModelName,
  revision: RevisionId,
  /** Routed attempts; a cache hit, a 4xx and an explicitly addressed version are none. */
  attempts: z.int().nonnegative(),
  /** Of the attempts: not answered by this revision (engine died, timed out, refused). */
  failures: z.int().nonnegative(),
  /** Of the attempts: answered with a NaN or an infinity. */
  nonFinite: z.int().nonnegative(),
  /** Of the attempts; `fast` also has waits that callers ended, which are no attempts. */
  indicators: z.partialRecord(z.enum(['fast', 'available', 'valid']), Tally),
});
export type RevisionCounts = z.infer<typeof RevisionCounts>;

export const ServedBackend = z.object({
  revision: RevisionId,
  version: VersionLabel,
  digest: VersionDigest,
  weight: z.number(),
});

export type ServedBackend = z.infer<typeof ServedBackend>;

/** What one runtime instance attests: what it serves, what it holds, what it counted. */
export const RuntimeObservation = z.object({
  instanceId: InstanceId,
  environment: EnvironmentName,
  pid: z.int(),
  startedAt: z.number(),
  at: z.number(),
  /** Generation of the newest snapshot received; null before the first. */
  snapshot: z.string().nullable(),
  /** What each route answers from now; its generation may be older than `snapshot` while a backend loads. */
  routes: z.record(ModelName, z.object({ generation: z.string(), backends: z.array(ServedBackend) })),
  loaded: z.array(Loaded),
  counts: z.array(RevisionCounts),
});
export type RuntimeObservation = z.infer<typeof RuntimeObservation>;
