import {
  canonicalJson,
  type Environment,
  type EnvironmentName,
  type ModelName,
  type Problem,
  type ServingPart,
} from '@switchback-ml/schemas';
import { type ReadDeployment, readDeployment } from './deployment.ts';
import { readDeploymentFiles } from './deployment-files.ts';
import type { DesiredDeployment, DesiredEnvironment } from './desired-state.ts';
import { freezesOf, readEnvironmentFile } from './environment-file.ts';
import type { EnvironmentGroups, Files } from './groups.ts';
import { isSameMap, type Recall } from './memory.ts';
import type { Models } from './models.ts';
import type { PlacedFile } from './placed-file.ts';

export interface EnvironmentInput {
  name: EnvironmentName;
  group: EnvironmentGroups;
  models: Pick<Models, 'byName' | 'names'>;
  /** Whether there may be models that can't be seen. */
  isHidden: boolean;
}

export interface ReadEnvironment {
  /** Null: its manifest can't be read, or what it asks for can't be known. */
  environment: DesiredEnvironment | null;
  placed: PlacedFile | null;
  problems: readonly Problem[];
}

/** One environment put together; the same value as before where nothing of it is another. No model is called `own …`. */
export function readEnvironment(input: EnvironmentInput, recall: Recall): ReadEnvironment {
  const { name, group, models, isHidden } = input;
  const own = group.own?.files ?? NO_FILES;
  const file = recall.part('own file', [own], () => readEnvironmentFile(own));
  const { manifest, placed } = file;
  // Where models may be hidden, the newest of each can't be known.
  const isUnknown = !manifest || (manifest.promotion.by === 'newest' && isHidden);
  if (!placed || isUnknown) {
    const missing = placed ? [] : [withoutManifest(name)];
    const problems = [file.problems, missing, problemsOfFiles(input, recall)].flat();
    return { environment: null, placed, problems };
  }

  const frozen = recall.part('own freezes', [file, models.names], () => freezesOf(file, models.names));
  const { deployments, otherHolds, problems } = readDeployments(input, manifest, recall);
  const parts = {
    freezes: frozen.freezes,
    deployments: recall.settled('own deployments', deployments, isSameMap),
    otherHolds: recall.settled('own holds', otherHolds, isSameMap),
  };
  const environment = recall.part('own whole', [manifest, ...Object.values(parts)], () => ({
    ...policyOf(name, manifest),
    ...parts,
  }));
  return { environment, placed, problems: [file.problems, frozen.problems, problems].flat() };
}

const NO_FILES: Files = [];
const NO_NAMES: readonly ModelName[] = [];

/** What is wrong with the other files of an environment of which nothing can be made. */
function problemsOfFiles({ group, models }: EnvironmentInput, recall: Recall): Problem[] {
  return [...group.deployments].flatMap(([model, { files }]) => {
    const known = models.byName.get(model) ?? null;
    return recall.part(model, [files, known], () => {
      const problems: Problem[] = [];
      readDeploymentFiles(files, known, problems);
      return problems;
    });
  });
}

function readDeployments(
  { name, group, models }: EnvironmentInput,
  manifest: Environment,
  recall: Recall,
): Pick<Required<DesiredEnvironment>, 'deployments' | 'otherHolds'> & { problems: Problem[] } {
  const isNewest = manifest.promotion.by === 'newest';
  // Other fields of the environment may change without a word about how models are run.
  const defaults = recall.settled('own defaults', manifest.defaults, isSamePart);
  const deployments = new Map<ModelName, DesiredDeployment>();
  const otherHolds = new Map<ModelName, DesiredDeployment['holds']>();
  const problems: Problem[] = [];
  for (const model of isNewest ? union(models.names, group.deployments) : group.deployments.keys()) {
    const files = group.deployments.get(model)?.files ?? NO_FILES;
    const known = models.byName.get(model) ?? null;
    // A name that is not there is compared with all that are; others don't depend on them.
    const names = known ? NO_NAMES : models.names;
    const read = recall.part(
      model,
      [files, known, defaults, isNewest, names],
      (): ReadDeployment =>
        readDeployment({ environment: name, model, files, known, defaults, isNewest, names }),
    );
    if (read.problems.length > 0) problems.push(...read.problems);
    if (read.deployment) deployments.set(model, read.deployment);
    else if (read.holds.length > 0) otherHolds.set(model, read.holds);
  }
  return { deployments, otherHolds, problems };
}

/** An environment that takes the newest serves every model that has a version; others serve what is released. */
function union(names: readonly ModelName[], groups: ReadonlyMap<ModelName, unknown>): Iterable<ModelName> {
  const all = new Set(names);
  const before = all.size;
  for (const name of groups.keys()) all.add(name);
  return all.size === before ? all : [...all].sort();
}

function policyOf(
  name: EnvironmentName,
  manifest: Environment,
): Omit<DesiredEnvironment, 'deployments' | 'freezes'> {
  return {
    name,
    promotesFrom: [manifest.promotesFrom ?? []].flat(),
    local: manifest.target.local,
    mode: manifest.mode,
    promotion: manifest.promotion,
    gates: manifest.gates ?? {},
    rollback: manifest.rollback ?? {
      write: 'push-else-pull-request',
      atMost: { count: 2, windowMs: 3_600_000 },
    },
  };
}

function isSamePart(before: ServingPart | undefined, fresh: ServingPart | undefined): boolean {
  return before === fresh || canonicalJson(before) === canonicalJson(fresh);
}

function withoutManifest(name: EnvironmentName): Problem {
  const path = `environments/${name}/environment.yaml`;
  return {
    code: 'E_REFERENCE',
    severity: 'error',
    path,
    message: `${path} is not there, though environments/${name} is`,
    remedy: 'Write it, or remove the folder.',
  };
}
