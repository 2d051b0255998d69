import {
  API_VERSION,
  type Environment,
  type Freeze,
  type ModelName,
  type Problem,
} from '@switchback-ml/schemas';
import type { DesiredEnvironment } from './desired-state.ts';
import type { Files } from './groups.ts';
import { isVersionPath } from './manifests.ts';
import { hint, nearest } from './nearest.ts';
import { complain, type PlacedFile, readManifest } from './placed-file.ts';
import { effectiveSettings } from './settings.ts';
import { doubtsAbout } from './settings-doubts.ts';

/** What an environment says of itself: its manifest and its freezes. */
export interface EnvironmentFile {
  /** Null: it can't be read. */
  manifest: Environment | null;
  placed: PlacedFile | null;
  freezes: readonly { freeze: Freeze | null; placed: PlacedFile }[];
  problems: readonly Problem[];
}

export function readEnvironmentFile(files: Files): EnvironmentFile {
  const problems: Problem[] = [];
  const placed = files.find(({ place }) => place.kind === 'environment') ?? null;
  const manifest = placed && readManifest('environment', placed, problems);
  const freezes = files
    .filter(({ place }) => place.kind === 'freeze')
    .map(file => ({ freeze: readManifest('freeze', file, problems), placed: file }));
  if (placed && manifest) problems.push(...judgeDefaults(placed, manifest), ...judgeGates(placed, manifest));
  return { manifest, placed, freezes, problems };
}

/**
 * A freeze that can't be read is still somebody's wish that nothing moves, and so is one of a model that isn't there:
 * it is taken to freeze every model until it is mended.
 */
export function freezesOf(
  { freezes }: EnvironmentFile,
  models: readonly ModelName[],
): { freezes: DesiredEnvironment['freezes']; problems: Problem[] } {
  const problems: Problem[] = [];
  const found = freezes.map(({ freeze, placed }) => {
    const { path } = placed;
    if (!freeze)
      return { apiVersion: API_VERSION, kind: 'Freeze', reason: 'its file can not be read', path } as const;
    const { model, ...everything } = freeze;
    if (model === undefined || models.includes(model)) return { ...freeze, path };
    problems.push(
      complain(placed, {
        code: 'E_REFERENCE',
        field: ['model'],
        message: `there is no model "${model}", so the freeze is taken to be of every model`,
        remedy: hint(nearest(model, models), 'Name a model that is there, or remove the freeze.'),
      }),
    );
    return { ...everything, path };
  });
  return { freezes: found, problems };
}

function judgeDefaults(placed: PlacedFile, { defaults }: Environment): Problem[] {
  if (!defaults) return [];
  return doubtsAbout(effectiveSettings([defaults])).map(({ field, message, remedy }) =>
    complain(placed, {
      code: 'W_SETTINGS',
      severity: 'warning',
      field: ['defaults', ...field],
      message,
      remedy,
    }),
  );
}

/** A gate that asks for a fact that no version can carry stays shut for ever. */
function judgeGates(placed: PlacedFile, { gates }: Environment): Problem[] {
  const facts = ['golden', 'compatible-signature', 'evaluation', 'framework', 'lineage', 'lineage.datasets'];
  return (gates?.require ?? []).flatMap((fact, index) => {
    if (facts.includes(fact) || isVersionPath(fact)) return [];
    return complain(placed, {
      code: 'E_REFERENCE',
      field: ['gates', 'require', index],
      message: `no version can carry "${fact}", so nothing is ever promoted here`,
      remedy: hint(nearest(fact, facts), `There are ${facts.join(', ')}, and other fields of version.yaml.`),
    });
  });
}
