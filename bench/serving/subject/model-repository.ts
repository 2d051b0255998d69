import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ENVIRONMENT, type Version } from './snapshot.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\n';

/** A file of a version that goes by Git LFS. */
export interface LargeFile {
  path: string;
  sha256: string;
  bytes: Uint8Array;
}

export interface VersionFiles {
  manifest: { path: string; text: string };
  large: readonly LargeFile[];
}

/** A version as it stands in a model repository. */
export function versionFiles(model: string, { backend, files }: Version): VersionFiles {
  const folder = `models/${model}/versions/${backend.version}`;
  const { artifacts, signature } = backend;
  // JSON is YAML.
  const text = `${HEAD}kind: ModelVersion\nartifacts: ${JSON.stringify(artifacts)}\nsignature: ${JSON.stringify(signature)}\n`;
  const large = Object.entries(artifacts).map(([name, { sha256 }]) => ({
    path: `${folder}/${name}`,
    sha256,
    bytes: files.get(sha256)!,
  }));
  return { manifest: { path: `${folder}/version.yaml`, text }, large };
}

/**
 * A model with one version, and one environment that serves the newest: no canary, no soak, and a bake that is over
 * soon, since what is measured begins where nothing else is under way.
 */
export async function writeModelFolder(folder: string, model: string, version: Version): Promise<void> {
  const { manifest, large } = versionFiles(model, version);
  const files = new Map<string, string | Uint8Array>([
    [`environments/${ENVIRONMENT}/environment.yaml`, ENVIRONMENT_TEXT],
    [`models/${model}/model.yaml`, `${HEAD}kind: Model\nowners: [bench]\n`],
    [manifest.path, manifest.text],
    ...large.map(({ path, bytes }) => [path, bytes] as const),
  ]);
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

const ENVIRONMENT_TEXT = `${HEAD}kind: Environment
target: { local: {} }
mode: act
promotion: { by: newest }
defaults:
  objectives: { available: { target: 99%, breach: rollback } }
  rollout: { bake: { for: 200ms, requests: 10 } }
`;
