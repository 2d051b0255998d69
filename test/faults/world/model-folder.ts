import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODEL, makeModelFolder } from '../../e2e/model-folder.fixture.ts';
import type { Template } from './template.ts';

export const STABLE = '1.0.0';
/** Percent that an unproven version may get in prod. */
export const FIRST_WEIGHT = 20;
/** How many bad versions stand ready; each round uses one up. */
export const VERSIONS = 12;

export const versionOf = (round: number): string => `2.0.${round}`;
export const releaseFile = (environment: string): string =>
  `environments/${environment}/${MODEL}/release.yaml`;
export const holdFile = (name: string): string => `environments/prod/${MODEL}/holds/${name}.yaml`;
export const SERVING_FILE = `environments/prod/${MODEL}/serving.yaml`;
export const NOTES_FILE = 'NOTES.md';
export const HEAD = 'apiVersion: switchback/v1alpha1\n';
export const releaseText = (version: string): string => `${HEAD}kind: Release\nversion: "${version}"\n`;

const candidate = fileURLToPath(new URL('../../../examples/candidates/nan/model.onnx', import.meta.url));

/**
 * One model in two environments, a good version that serves, and bad ones that wait. Golden answers of each bad one
 * differ in bytes though not in meaning, so that each is a version of its own with something to be fetched.
 */
export async function makeFaultFolder(directory: string, { manifest, golden }: Template): Promise<void> {
  await makeModelFolder(directory, ENVIRONMENTS);
  await writeFile(join(directory, NOTES_FILE), 'Two environments.\n');
  for (let round = 1; round <= VERSIONS; round++) {
    const folder = join(directory, 'models', MODEL, 'versions', versionOf(round));
    await mkdir(folder, { recursive: true });
    const padded = golden.text + '\n'.repeat(round);
    await writeFile(join(folder, 'golden.json'), padded);
    await writeFile(join(folder, 'version.yaml'), manifest(padded));
    await copyFile(candidate, join(folder, 'model.onnx'));
  }
}

/** Of an environment that comes and goes within a round. */
export const PASSING_ENVIRONMENT = `${HEAD}kind: Environment
target: { local: {} }
mode: act
promotion: { by: person }
`;

/** Judged by what is answered, not by how fast: the machine that tests may be busy. */
export const ENVIRONMENTS = {
  staging: `${PASSING_ENVIRONMENT}defaults:
  objectives: { available: { target: 99%, breach: rollback } }
  rollout: { bake: { for: 300ms, requests: 10 } }
`,
  prod: `${HEAD}kind: Environment
promotesFrom: staging
target: { local: {} }
mode: act
promotion: { by: push }
gates: { soak: { for: 300ms, requests: 10 } }
rollback: { write: push-else-pull-request, atMost: 99 per 1h }
defaults:
  objectives: { available: { target: 99%, breach: rollback } }
  rollout:
    canary:
      steps: [{ weight: ${FIRST_WEIGHT}, for: 1s, requests: 50 }]
      undecided: { after: 10m, then: page }
    bake: { for: 300ms, requests: 10 }
`,
} as const;
