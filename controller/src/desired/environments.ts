import {
  API_VERSION,
  type Environment,
  type EnvironmentName,
  type ModelName,
  type Release,
  type ServingPart,
} from '@switchback-ml/schemas';
import type { DesiredDeployment, DesiredEnvironment, DesiredModel, DesiredVersion } from './desired-state.ts';
import { type EnvironmentFolder, readFolders } from './environment-folder.ts';
import { revision } from './identity.ts';
import type { Models } from './models.ts';
import { nearest } from './nearest.ts';
import { inPromotionOrder } from './promotion-order.ts';
import type { Reading } from './reading.ts';
import { effectiveSettings } from './settings.ts';

export interface Environments {
  environments: ReadonlyMap<EnvironmentName, DesiredEnvironment>;
  broken: ReadonlySet<EnvironmentName>;
}

export function readEnvironments(reading: Reading, { models, serving }: Models): Environments {
  const folders = readFolders(reading);
  const broken = new Set<EnvironmentName>();
  const unordered = new Map<EnvironmentName, DesiredEnvironment>();
  for (const [name, folder] of folders) {
    const { manifest } = folder;
    if (!manifest) {
      if (!reading.byPath.has(folder.path)) {
        reading.report(
          'E_REFERENCE',
          folder.path,
          `environments/${name} has no environment.yaml`,
          'Write it, or remove the folder.',
        );
      }
      broken.add(name);
      continue;
    }
    const named = (model: ModelName): DesiredModel =>
      models.get(model) ?? { name: model, folder: model, versions: [] };
    const deployments = new Map<ModelName, DesiredDeployment>();
    for (const model of deployedModels(manifest, folder, models)) {
      const parts = [manifest.defaults, serving.get(model), folder.serving.get(model)?.serving];
      deployments.set(model, deployment(reading, name, named(model), folder, parts));
    }
    const held = new Set([...folder.holds.keys(), ...folder.unreadableHolds.keys()]);
    const others = [...held].filter(model => !deployments.has(model));
    const otherHolds = new Map(others.map(model => [model, holdsOf(folder, named(model))]));
    unordered.set(name, { ...environment(name, manifest, folder), deployments, otherHolds });
  }
  return inPromotionOrder(reading, unordered, broken);
}

function environment(
  name: EnvironmentName,
  manifest: Environment,
  folder: EnvironmentFolder,
): Omit<DesiredEnvironment, 'deployments'> {
  return {
    name,
    promotesFrom: [manifest.promotesFrom ?? []].flat(),
    mode: manifest.mode,
    promotion: manifest.promotion,
    gates: manifest.gates ?? {},
    rollback: manifest.rollback ?? {
      write: 'push-else-pull-request',
      atMost: { count: 2, windowMs: 3_600_000 },
    },
    freezes: folder.freezes,
  };
}

/** An environment that takes the newest serves every model that has a version; others serve what is released. */
function deployedModels(
  manifest: Environment,
  folder: EnvironmentFolder,
  models: Models['models'],
): ModelName[] {
  if (manifest.promotion.by !== 'newest') return [...folder.releases.keys()];
  const registered = [...models.values()].filter(model => model.versions.length > 0).map(model => model.name);
  return [...new Set([...registered, ...folder.releases.keys()])];
}

function deployment(
  reading: Reading,
  name: EnvironmentName,
  known: DesiredModel,
  folder: EnvironmentFolder,
  parts: readonly (ServingPart | null | undefined)[],
): DesiredDeployment {
  const { name: model, versions } = known;
  const holds = holdsOf(folder, known);
  const found = folder.releases.get(model);
  const base = {
    model,
    holds,
    releasePath: found?.path ?? `environments/${name}/${known.folder}/release.yaml`,
  };
  // A setting that can't be read is not a setting that is gone: nothing new is rolled out over a broken file.
  if (parts.includes(null)) return { ...base, wanted: null };
  if (found && !found.release) return { ...base, wanted: null };

  const held = new Set(holds.filter(hold => !hold.settings).map(hold => hold.digest));
  const version = found?.release
    ? released(reading, found.path, found.release, versions)
    : (versions.findLast(candidate => !held.has(candidate.digest)) ?? null);
  const settings = effectiveSettings(parts.filter(part => part != null));
  return { ...base, wanted: version && revision(version, settings) };
}

/** A hold that can't be read still holds the version that its file is named after. */
function holdsOf(folder: EnvironmentFolder, { name, versions }: DesiredModel): DesiredDeployment['holds'] {
  const holds = [...(folder.holds.get(name) ?? [])];
  for (const path of folder.unreadableHolds.get(name) ?? []) {
    const label = path.slice(path.lastIndexOf('/') + 1, -'.yaml'.length);
    const digest = versions.find(version => version.label === label)?.digest;
    const reason = 'its file can not be read';
    if (digest) holds.push({ apiVersion: API_VERSION, kind: 'Hold', digest, reason, path });
  }
  return holds;
}

function released(
  reading: Reading,
  path: string,
  release: Release,
  versions: readonly DesiredVersion[],
): DesiredVersion | null {
  const version = versions.find(({ label }) => label === release.version);
  if (!version) {
    const labels = versions.map(({ label }) => label);
    const near = nearest(release.version, labels);
    const known =
      labels.length > 0
        ? `Known versions: ${labels.slice(-5).join(', ')}.`
        : 'No version of this model can be read.';
    reading.report(
      'E_REFERENCE',
      path,
      `${path} names version "${release.version}", which is not there`,
      near ? `Did you mean "${near}"? ${known}` : known,
    );
    return null;
  }
  if (release.digest && release.digest !== version.digest) {
    reading.report(
      'E_ARTIFACT_DIFFERS',
      path,
      `${path} names digest ${release.digest.slice(0, 19)}…, but ${release.version} is ${version.digest.slice(0, 19)}…`,
      'Name the version that was meant, or leave the digest out.',
    );
    return null;
  }
  return version;
}
