import { createHash } from 'node:crypto';
import {
  ArtifactDigest,
  type Backend,
  CommitSha,
  EnvironmentName,
  type Indicator,
  RevisionId,
  type Route,
  ServingSnapshot,
  VersionDigest,
  VersionLabel,
} from '@switchback-ml/schemas';
import { ratioArithmetic } from './engine/memory/arithmetic.fixture.ts';
import { ratioModel } from './engine/onnx/graph.fixture.ts';

export const KEY = 'inference-key-of-the-tests';

/** Two kinds of bytes for the very same model: numerator / denominator, hanging above a million. */
export const BYTES = {
  memory: (): Uint8Array => Buffer.from(JSON.stringify(ratioArithmetic())),
  onnx: (): Uint8Array => ratioModel(),
};

export interface VersionOptions {
  label?: string;
  weight?: number;
  model?: Uint8Array;
  /** The golden answer to 6 / 3. */
  golden?: number;
  limits?: Partial<Backend['limits']>;
  indicators?: Indicator[];
  signature?: Backend['signature'];
}

/** A backend, and the objects that its artifacts are. */
export function ratioVersion(options: VersionOptions = {}): {
  backend: Backend;
  objects: Map<string, Uint8Array>;
} {
  const { label = '1.0.0', weight = 100, model = BYTES.memory(), golden = 2 } = options;
  const column = (...data: number[]) => ({ datatype: 'FP32', shape: [data.length, 1], data });
  const answers = Buffer.from(
    JSON.stringify({
      inputs: { numerator: column(6, 1), denominator: column(3, 4) },
      outputs: { ratio: column(golden, 0.25) },
    }),
  );
  const files = { 'model.onnx': model, 'golden.json': answers };
  const artifacts = Object.fromEntries(
    Object.entries(files).map(([name, bytes]) => [
      name,
      { sha256: ArtifactDigest.parse(sha256(bytes)), size: bytes.byteLength },
    ]),
  );
  const digest = sha256(Buffer.from(`${label}${golden}`));
  const backend: Backend = {
    revision: RevisionId.parse(`${digest.slice(0, 12)}-${digest.slice(12, 20)}`),
    version: VersionLabel.parse(label),
    digest: VersionDigest.parse(`sha256:${digest}`),
    weight,
    artifacts,
    signature: options.signature ?? ratioArithmetic().signature,
    limits: { memoryBytes: 512 * 2 ** 20, timeoutMs: 5000, maxBatch: 64, ...options.limits },
    indicators: options.indicators ?? [
      { kind: 'fast', underMs: 1000 },
      { kind: 'available' },
      { kind: 'valid' },
    ],
  };
  return { backend, objects: new Map(Object.values(files).map(bytes => [sha256(bytes), bytes])) };
}

/** The snapshot of environment "test"; its generation is the hash of everything else. */
export function snapshotOf(
  routes: Record<string, Backend[]>,
  keys: readonly string[] = [KEY],
  more: Partial<Route> = {},
): ServingSnapshot {
  const rest = {
    apiVersion: 'switchback/v1alpha1',
    kind: 'ServingSnapshot',
    environment: EnvironmentName.parse('test'),
    commit: CommitSha.parse('c'.repeat(40)),
    routes: Object.fromEntries(
      Object.entries(routes).map(([model, backends]) => [model, { backends, ...more }]),
    ),
    keys: keys.map(key => sha256(Buffer.from(key))),
  };
  return ServingSnapshot.parse({
    ...rest,
    generation: sha256(Buffer.from(JSON.stringify(rest))).slice(0, 16),
  });
}

export function ratioBody(numerators: readonly number[], denominators: readonly number[]): string {
  const input = (name: string, data: readonly number[]) => ({
    name,
    datatype: 'FP32',
    shape: [data.length, 1],
    data,
  });
  return JSON.stringify({ inputs: [input('numerator', numerators), input('denominator', denominators)] });
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Looks until `look` gives something; a bound catches what never comes. */
export async function eventually<Found>(
  look: () => Found | null | undefined | false | Promise<Found | null | undefined | false>,
  what: string,
): Promise<Found> {
  const until = performance.now() + 20_000;
  while (performance.now() < until) {
    const found = await look();
    if (found) return found;
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  throw new Error(`${what} did not happen within 20 s`);
}
