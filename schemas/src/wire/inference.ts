import { z } from 'zod';
import { Datatype } from '../manifest/signature.ts';

/*
 * The Open Inference Protocol's REST bodies. Outer objects are loose on purpose: the protocol lets clients add
 * parameters, and a server that refuses an unknown key breaks them.
 */
export const Parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
export type Parameters = z.infer<typeof Parameters>;

export const RequestInput = z.object({
  name: z.string(),
  shape: z.array(z.number()),
  datatype: z.string(),
  parameters: Parameters.optional(),
  /** Absent where the tensor comes behind the JSON, in as many bytes as the parameter `binary_data_size` says. */
  data: z.array(z.unknown()).optional(),
});
export type RequestInput = z.infer<typeof RequestInput>;

export const InferenceRequest = z.object({
  id: z.string().max(256).optional(),
  parameters: Parameters.optional(),
  inputs: z.array(RequestInput).min(1).max(1000),
  outputs: z.array(z.object({ name: z.string(), parameters: Parameters.optional() })).optional(),
});
export type InferenceRequest = z.infer<typeof InferenceRequest>;

export const ResponseOutput = z.object({
  name: z.string(),
  shape: z.array(z.int()),
  datatype: Datatype,
  parameters: Parameters.optional(),
  /** Absent where the tensor comes behind the JSON, in as many bytes as the parameter `binary_data_size` says. */
  data: z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])).optional(),
});

export const InferenceResponse = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  id: z.string().optional(),
  parameters: Parameters.optional(),
  outputs: z.array(ResponseOutput),
});
export type InferenceResponse = z.infer<typeof InferenceResponse>;

const TensorMetadata = z.object({ name: z.string(), datatype: Datatype, shape: z.array(z.int()) });

export const ServerMetadata = z.object({
  name: z.string(),
  version: z.string(),
  extensions: z.array(z.string()),
});
export type ServerMetadata = z.infer<typeof ServerMetadata>;

export const ModelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(TensorMetadata),
  outputs: z.array(TensorMetadata),
});
export type ModelMetadata = z.infer<typeof ModelMetadata>;

export const RepositoryState = z.enum(['READY', 'LOADING', 'UNAVAILABLE']);
export type RepositoryState = z.infer<typeof RepositoryState>;

/** An error code of ours, and a sentence. */
export const UnreadyReason = z.object({ code: z.string(), message: z.string() });
export type UnreadyReason = z.infer<typeof UnreadyReason>;

export const ModelReadiness = z.object({
  name: z.string(),
  ready: z.boolean(),
  /** With `reasons`, where it is not ready or asleep. */
  state: RepositoryState.optional(),
  reasons: z.array(UnreadyReason).optional(),
});
export type ModelReadiness = z.infer<typeof ModelReadiness>;

export const RepositoryIndex = z.array(
  z.object({ name: z.string(), version: z.string(), state: RepositoryState, reason: z.string() }),
);
export type RepositoryIndex = z.infer<typeof RepositoryIndex>;

/** How often, and how long in all. What nobody measures is absent. */
const StatisticDuration = z.object({ count: z.int().nonnegative(), ns: z.int().nonnegative().optional() });

const ComputeDurations = {
  compute_input: StatisticDuration.optional(),
  compute_infer: StatisticDuration.optional(),
  compute_output: StatisticDuration.optional(),
};

/** The `statistics` extension's figures of one version since this instance started. What nobody counts is absent. */
export const ModelStatistics = z.object({
  name: z.string(),
  version: z.string(),
  /** Milliseconds since 1970; 0: none yet. */
  last_inference: z.number().optional(),
  /** Rows that engines ran. */
  inference_count: z.int().nonnegative().optional(),
  /** Batches that engines ran. */
  execution_count: z.int().nonnegative().optional(),
  inference_stats: z
    .object({
      success: StatisticDuration.optional(),
      fail: StatisticDuration.optional(),
      queue: StatisticDuration.optional(),
      ...ComputeDurations,
      cache_hit: StatisticDuration.optional(),
      cache_miss: StatisticDuration.optional(),
    })
    .optional(),
  batch_stats: z.array(z.object({ batch_size: z.int().positive(), ...ComputeDurations })).optional(),
});
export type ModelStatistics = z.infer<typeof ModelStatistics>;

/** Every error of an inference address, whatever protocol asked. */
export const InferenceError = z.object({
  error: z.string(),
  code: z.string(),
  details: z.unknown().optional(),
});
export type InferenceError = z.infer<typeof InferenceError>;

/** Set on every answer of a model, so that a caller can tell which revision spoke. */
export const ANSWERED_BY = {
  version: 'x-switchback-version',
  revision: 'x-switchback-revision',
  /** Only on an answer that was not run for this request: memory, redis or shared. */
  from: 'x-switchback-from',
} as const;

/** How long a caller cares to wait, in ms from when its request was there whole; read by runtimes and gateways. */
export const TIMEOUT_HEADER = 'x-switchback-timeout-ms';

/** Response parameter on a tensor that holds a NaN or an infinity: `null` in JSON, bit for bit in binary. */
export const NON_FINITE_PARAMETER = 'non_finite';
