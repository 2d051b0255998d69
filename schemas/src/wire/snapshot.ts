import { z } from 'zod';
import {
  ArtifactDigest,
  CommitSha,
  EnvironmentName,
  ModelName,
  RevisionId,
  VersionDigest,
  VersionLabel,
} from '../identity.ts';
import { API_VERSION } from '../manifest/envelope.ts';
import { Artifact, ArtifactFile } from '../manifest/model-version.ts';
import { Signature, TensorName } from '../manifest/signature.ts';

/** One objective as the runtime counts it: each attempt is good or bad, nothing else leaves the process. */
export const Indicator = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fast'), underMs: z.number().positive() }),
  z.object({ kind: z.literal('available') }),
  z.object({
    kind: z.literal('valid'),
    output: TensorName.optional(),
    within: z.tuple([z.number(), z.number()]).optional(),
  }),
]);
export type Indicator = z.infer<typeof Indicator>;
export type IndicatorName = Indicator['kind'];

export const BackendLimits = z.object({
  memoryBytes: z.int().positive(),
  timeoutMs: z.number().positive(),
  maxBatch: z.int().positive(),
  /** Rows that may wait for its engines; absent: 1024. */
  queueRows: z.int().positive().optional(),
});
export type BackendLimits = z.infer<typeof BackendLimits>;

/** What may be spent on sharing batches. */
export const Batching = z.object({
  /** The longest that a request is kept for others to join it, where a fitted curve shows a gain. 0: never. */
  waitMs: z.number().min(0),
});
export type Batching = z.infer<typeof Batching>;

/** Answers to be remembered, by the request's own bytes. Only for graphs that answer the same to the same. */
export const CachePolicy = z.object({ forMs: z.number().positive(), bytes: z.int().positive() });
export type CachePolicy = z.infer<typeof CachePolicy>;

/** One row for each output, by name, to be said where no revision can answer. */
export const Fallback = z.object({
  outputs: z.record(TensorName, z.array(z.union([z.number(), z.string()]))),
});
export type Fallback = z.infer<typeof Fallback>;

/** Lower case, as HTTP servers hand them out. */
export const HeaderName = z
  .string()
  .regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be the name of an HTTP header, in lower case');

/** One revision behind a route. Weight 0 is kept loaded and warm but gets no routed request. */
export const Backend = z.object({
  revision: RevisionId,
  version: VersionLabel,
  digest: VersionDigest,
  /** Percent of the route's requests. The weights of one route add up to 100. */
  weight: z.number().min(0).max(100),
  artifacts: z.record(ArtifactFile, Artifact),
  signature: Signature,
  limits: BackendLimits,
  indicators: z.array(Indicator),
  /** Processes that each hold the graph and share its requests; absent: one. */
  engines: z.int().positive().optional(),
  batching: Batching.optional(),
  cache: CachePolicy.optional(),
  /** Percent of the route's requests of which it gets a copy that nobody waits for; absent: none. */
  shadow: z.number().min(0).max(100).optional(),
});
export type Backend = z.infer<typeof Backend>;

/** Requests with this header go to that revision, whatever its weight. */
export const Match = z.object({ header: HeaderName, is: z.string().max(200), revision: RevisionId });
export type Match = z.infer<typeof Match>;

export const Route = z.object({
  /** The one that is on its way in, if there is one, comes last: sticky shares grow and shrink at that end. */
  backends: z.array(Backend).min(1),
  /** The first that fits decides; absent or none: by weight. */
  match: z.array(Match).optional(),
  /** Requests with the same value of this header go to the same backend while weights stay; absent: each by itself. */
  stickyBy: z.object({ header: HeaderName }).optional(),
  /** Answered, marked as such, when no backend could; absent: the error is. */
  fallback: Fallback.optional(),
});
export type Route = z.infer<typeof Route>;

/**
 * The one document a runtime serves from. `generation` is the hash of everything but itself and is the ETag of
 * the long poll; a runtime that has it needs nothing else to start alone.
 */
export const ServingSnapshot = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('ServingSnapshot'),
  environment: EnvironmentName,
  generation: z.string().regex(/^[0-9a-f]{16}$/),
  commit: CommitSha,
  routes: z.record(ModelName, Route),
  /** SHA-256 of each inference key that may call this environment. Empty: nobody may. */
  keys: z.array(ArtifactDigest),
});
export type ServingSnapshot = z.infer<typeof ServingSnapshot>;

/** Where a runtime long-polls, and where it pulls artifacts, on the controller. */
export const SNAPSHOT_PATH = '/runtime/v1/environments/:environment/snapshot';
export const ARTIFACT_PATH = '/runtime/v1/artifacts/:sha256';
/** Where the controller reads counts and attests, on a runtime. */
export const OBSERVATION_PATH = '/runtime/v1/observation';
