import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { protoPath as healthPath } from 'grpc-health-check';

/** The services that are offered, as their files describe them. */
export interface Definitions {
  inference: ServiceDefinition;
  health: ServiceDefinition;
  /** Both, for whoever asks what there is. */
  all: PackageDefinition;
}

const INFERENCE_PATH = fileURLToPath(new URL('inference.proto', import.meta.url));

/** Reads and parses the files: some 50 ms, once at the start. */
export function loadDefinitions(): Definitions {
  const all = loadSync([INFERENCE_PATH, healthPath], {
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
  });
  const inference = all['inference.GRPCInferenceService'] as ServiceDefinition;
  const asBytes = { requestDeserialize: same, responseSerialize: same };
  return {
    // Requests are kept as the bytes that they came in: for the cache, and to be decoded for the revision that answers.
    inference: { ...inference, ModelInfer: { ...inference['ModelInfer']!, ...asBytes } },
    health: all['grpc.health.v1.Health'] as ServiceDefinition,
    all,
  };
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
