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
  data: z.array(z.unknown()),
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
  data: z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])),
});

export const InferenceResponse = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  id: z.string().optional(),
  parameters: Parameters.optional(),
  outputs: z.array(ResponseOutput),
});
export type InferenceResponse = z.infer<typeof InferenceResponse>;

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
} as const;

/** Response parameter on a tensor that holds a NaN or an infinity, both printed as `null`. */
export const NON_FINITE_PARAMETER = 'non_finite';
