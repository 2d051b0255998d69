import { createHash } from 'node:crypto';
import { API_VERSION } from '@switchback-ml/schemas';
import { stringify } from 'yaml';
import { lfsPointer } from './tree.fixture.ts';

/** A manifest's text with fields as they stand in YAML. */
export function manifestText(kind: string, fields: object = {}): string {
  return stringify({ apiVersion: API_VERSION, kind, ...fields }, { lineWidth: 0 });
}

export const SIGNATURE = {
  inputs: { features: { datatype: 'FP32', shape: [-1, 30] } },
  outputs: { score: { datatype: 'FP32', shape: [-1, 1] } },
};

/** `version.yaml` with its artifacts as LFS pointers; another seed is another digest. */
export function versionFiles(
  folder: string,
  label: string,
  { seed = label, ...fields }: { seed?: string } & Record<string, unknown> = {},
): Record<string, string> {
  const at = `models/${folder}/versions/${label}/`;
  const model = { sha256: sha256(`model ${folder} ${seed}`), size: 1000 };
  const golden = { sha256: sha256(`golden ${folder} ${seed}`), size: 100 };
  const artifacts = { 'model.onnx': model, 'golden.json': { ...golden, tolerance: 0.00001 } };
  return {
    [`${at}version.yaml`]: manifestText('ModelVersion', { artifacts, signature: SIGNATURE, ...fields }),
    [`${at}model.onnx`]: lfsPointer(model.sha256, model.size),
    [`${at}golden.json`]: lfsPointer(golden.sha256, golden.size),
  };
}

export function environmentFile(name: string, fields: Record<string, unknown> = {}): Record<string, string> {
  const text = manifestText('Environment', {
    target: { local: {} },
    mode: 'act',
    promotion: { by: 'push' },
    ...fields,
  });
  return { [`environments/${name}/environment.yaml`]: text };
}

/** As `releaseText` of proposal writes it, and as a person would. */
export function releaseFile(environment: string, folder: string, version: string): Record<string, string> {
  const text = `apiVersion: ${API_VERSION}\nkind: Release\nversion: "${version}"\n`;
  return { [`environments/${environment}/${folder}/release.yaml`]: text };
}

export function holdFile(
  environment: string,
  folder: string,
  name: string,
  digest: string,
  fields: Record<string, unknown> = {},
): Record<string, string> {
  const text = manifestText('Hold', { digest, reason: 'found bad', ...fields });
  return { [`environments/${environment}/${folder}/holds/${name}.yaml`]: text };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
