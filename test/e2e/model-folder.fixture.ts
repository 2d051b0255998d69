import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const example = fileURLToPath(new URL('../../examples/model-repo', import.meta.url));

export const MODEL = 'screening';
/** Percent that an unproven version may get in prod. */
export const FIRST_WEIGHT = 20;

/** The example repository with one of its models, and durations so short that a whole rollout takes seconds. */
export async function makeModelFolder(
  directory: string,
  environments: Readonly<Record<string, string>> = ENVIRONMENTS,
): Promise<void> {
  await cp(example, directory, { recursive: true });
  const models = await readdir(join(directory, 'models'));
  for (const other of models.filter(model => model !== MODEL)) {
    await rm(join(directory, 'models', other), { recursive: true });
    for (const environment of ['staging', 'prod'])
      await rm(join(directory, 'environments', environment, other), { recursive: true });
  }
  for (const name of await readdir(join(directory, 'environments')))
    if (!(name in environments)) await rm(join(directory, 'environments', name), { recursive: true });
  for (const [name, text] of Object.entries(environments)) {
    await mkdir(join(directory, 'environments', name), { recursive: true });
    await writeFile(join(directory, 'environments', name, 'environment.yaml'), text);
  }
}

const HEAD = `apiVersion: switchback/v1alpha1
kind: Environment
target: { local: {} }
mode: act
`;

/** Judged by what is answered, not by how fast: the machine that tests may be busy. */
const ENVIRONMENTS = {
  dev: `${HEAD}promotion: { by: newest }
defaults:
  objectives: { available: { target: 99%, breach: rollback } }
  rollout: { bake: { for: 500ms, requests: 10 } }
`,
  staging: `${HEAD}promotesFrom: dev
promotion: { by: push }
gates: { soak: { for: 500ms, requests: 10 } }
defaults:
  objectives: { available: { target: 99%, breach: rollback } }
  rollout: { bake: { for: 500ms, requests: 10 } }
`,
  prod: `${HEAD}promotesFrom: staging
promotion: { by: push }
gates: { soak: { for: 500ms, requests: 10 } }
rollback: { write: push-else-pull-request, atMost: 9 per 1h }
defaults:
  objectives: { available: { target: 99%, breach: rollback } }
  rollout:
    canary:
      steps:
        - { weight: ${FIRST_WEIGHT}, for: 1s, requests: 50 }
        - { weight: 50, for: 1s, requests: 100 }
      undecided: { after: 10m, then: page }
    bake: { for: 1s, requests: 100 }
`,
} as const;
