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
});
export type BackendLimits = z.infer<typeof BackendLimits>;

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
});
export type Backend = z.infer<typeof Backend>;

export const Route = z.object({ backends: z.array(Backend).min(1) });
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
