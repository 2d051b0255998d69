import { hash } from 'node:crypto';
import { Artifact, Backend, ServingSnapshot, Signature, versionText } from '@switchback-ml/schemas';
import type { Sample } from '../model/sample.ts';
import { shortest } from '../v2.ts';

export const ENVIRONMENT = 'bench';

/** A version of a sample's model as a runtime is told of it, and its files by SHA-256. */
export interface Version {
  backend: Backend;
  files: ReadonlyMap<string, Uint8Array>;
}

/** With golden answers, as every version has them; `engines` processes share its requests. */
export function versionOf(sample: Sample, label: string, engines = 1): Version {
  const files = { 'model.onnx': sample.onnx, 'golden.json': Buffer.from(JSON.stringify(goldenOf(sample))) };
  const artifacts: Record<string, Artifact> = {};
  for (const [name, bytes] of Object.entries(files))
    artifacts[name] = Artifact.parse({ sha256: sha256(bytes), size: bytes.length });
  const { inputShape, outputs } = sample.model;
  const signature = Signature.parse({
    inputs: { input: { datatype: 'FP32', shape: [-1, ...inputShape] } },
    outputs: { output: { datatype: 'FP32', shape: [-1, outputs] } },
  });
  const digest = sha256(Buffer.from(versionText(artifacts, signature)));
  const backend = Backend.parse({
    revision: `${digest.slice(0, 12)}-${sha256(Buffer.from(label)).slice(0, 8)}`,
    version: label,
    digest: `sha256:${digest}`,
    weight: 100,
    artifacts,
    signature,
    limits: { memoryBytes: 512 * 2 ** 20, timeoutMs: 5000, maxBatch: 64 },
    indicators: [{ kind: 'fast', underMs: 1000 }, { kind: 'available' }, { kind: 'valid' }],
    ...(engines > 1 && { engines }),
  });
  return { backend, files: new Map(Object.values(files).map(bytes => [sha256(bytes), bytes])) };
}

/** By model: a route that gives everything to one version. */
export function snapshotOf(versions: ReadonlyMap<string, Version>, key: string): ServingSnapshot {
  const labels = [...versions.values()].map(({ backend }) => backend.version);
  const rest = {
    apiVersion: 'switchback/v1alpha1',
    kind: 'ServingSnapshot',
    environment: ENVIRONMENT,
    commit: sha256(Buffer.from(labels.join(' '))).slice(0, 40),
    routes: Object.fromEntries([...versions].map(([model, { backend }]) => [model, { backends: [backend] }])),
    keys: [sha256(Buffer.from(key))],
  };
  const generation = sha256(Buffer.from(JSON.stringify(rest))).slice(0, 16);
  return ServingSnapshot.parse({ ...rest, generation });
}

function goldenOf({ model, rows, answers }: Sample): unknown {
  const tensor = (shape: readonly number[], values: readonly Float32Array[]): unknown => ({
    datatype: 'FP32',
    shape: [values.length, ...shape],
    data: values.flatMap(shortest),
  });
  return {
    inputs: { input: tensor(model.inputShape, rows) },
    outputs: { output: tensor([model.outputs], answers) },
  };
}

function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}
