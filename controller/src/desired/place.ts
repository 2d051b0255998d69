import { type EnvironmentName, type ModelName, NAME_PATTERN, VersionLabel } from '@switchback-ml/schemas';
import { nearest } from './nearest.ts';

/** What a path of the model repository is; the path is the identity of what stands there. */
export type Place =
  | { kind: 'model'; model: ModelName; folder: string }
  | { kind: 'serving'; model: ModelName; folder: string }
  | { kind: 'version'; model: ModelName; folder: string; label: VersionLabel }
  | { kind: 'artifact'; model: ModelName; folder: string; label: VersionLabel; file: string }
  | { kind: 'environment'; environment: EnvironmentName }
  | { kind: 'environment-serving'; environment: EnvironmentName; model: ModelName }
  | { kind: 'release'; environment: EnvironmentName; model: ModelName }
  | { kind: 'hold'; environment: EnvironmentName; model: ModelName }
  | { kind: 'freeze'; environment: EnvironmentName }
  /** Not ours to read: documentation, attributes, settings of other tools. */
  | { kind: 'other' }
  /** Looks like a manifest and stands where none is read; with the name that it may be meant to have. */
  | { kind: 'unread'; meant: string | null }
  /** In one of our folders, with a name that no grammar allows. */
  | { kind: 'bad-name'; part: string };

/**
 * Names that would be taken for something else: the folders of this layout, what every object inherits, and devices
 * that some systems can not make a folder of.
 */
const TAKEN = /^(?:versions|holds|freezes|constructor|con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

const LAYOUT = new Set(['versions', 'holds', 'freezes']);

export function placeOf(path: string): Place {
  const parts = path.split('/');
  if (parts[0] === 'models') return unreadOr(path, modelPlace(parts.slice(1)));
  if (parts[0] === 'environments') return unreadOr(path, environmentPlace(parts.slice(1)));
  return { kind: 'other' };
}

/** Whether a folder of ours could stand at this path, so that a link or a submodule there would hide what is below. */
export function isFolderPath(path: string): boolean {
  const [top, ...parts] = path.split('/');
  if (top !== 'models' && top !== 'environments') return false;
  const layout = parts.findIndex(part => LAYOUT.has(part));
  const [names, below] = layout < 0 ? [parts, []] : [parts.slice(0, layout), parts.slice(layout + 1)];
  const isBelow =
    parts[layout] === 'versions' ? below.length < 2 && below.every(isLabel) : below.length === 0;
  return names.length < 4 && names.every(isName) && isBelow;
}

function modelPlace(parts: string[]): Place {
  const versions = parts.indexOf('versions', 1);
  const [folderParts, rest] =
    versions > 0 ? [parts.slice(0, versions), parts.slice(versions)] : [parts.slice(0, -1), parts.slice(-1)];
  if (folderParts.length === 0 || folderParts.length > 2) return { kind: 'other' };
  const bad = folderParts.find(part => !isName(part));
  if (bad !== undefined) return { kind: 'bad-name', part: bad };
  const model = folderParts.at(-1) as ModelName;
  const folder = folderParts.join('/');

  if (versions > 0) {
    const [, label = '', file = ''] = rest;
    if (rest.length !== 3) return { kind: 'other' };
    if (!isLabel(label)) return { kind: 'bad-name', part: label };
    if (file === 'version.yaml') return { kind: 'version', model, folder, label };
    if (file.toLowerCase() === 'version.yml') return { kind: 'other' };
    return { kind: 'artifact', model, folder, label, file };
  }
  if (rest[0] === 'model.yaml') return { kind: 'model', model, folder };
  if (rest[0] === 'serving.yaml') return { kind: 'serving', model, folder };
  return { kind: 'other' };
}

function environmentPlace(parts: string[]): Place {
  const [environment = ''] = parts;
  const file = parts.at(-1) ?? '';
  if (parts.length < 2 || !file.endsWith('.yaml')) return { kind: 'other' };
  if (!isEnvironment(environment)) return { kind: 'bad-name', part: environment };
  if (parts.length === 2)
    return file === 'environment.yaml' ? { kind: 'environment', environment } : { kind: 'other' };
  if (parts[1] === 'freezes' && parts.length === 3) return { kind: 'freeze', environment };

  const inHolds = parts.at(-2) === 'holds' && parts.length > 3;
  const modelParts = parts.slice(1, inHolds ? -2 : -1);
  if (modelParts.length === 0 || modelParts.length > 2) return { kind: 'other' };
  const bad = modelParts.find(part => !isName(part));
  if (bad !== undefined) return { kind: 'bad-name', part: bad };
  const model = modelParts.at(-1) as ModelName;
  if (inHolds) return { kind: 'hold', environment, model };
  if (file === 'release.yaml') return { kind: 'release', environment, model };
  if (file === 'serving.yaml') return { kind: 'environment-serving', environment, model };
  return { kind: 'other' };
}

const isName = (part: string): part is ModelName => NAME_PATTERN.test(part) && !TAKEN.test(part);
const isEnvironment = (part: string): part is EnvironmentName => isName(part);
const isLabel = (part: string): part is VersionLabel =>
  !TAKEN.test(part) && VersionLabel.safeParse(part).success;

/** A file that somebody meant to be read, such as `release.yml`, must not be passed over in silence. */
function unreadOr(path: string, place: Place): Place {
  if (place.kind !== 'other' || !/\.ya?ml$/i.test(path)) return place;
  const file = path.slice(path.lastIndexOf('/') + 1);
  const stem = file.slice(0, file.lastIndexOf('.')).toLowerCase();
  const meant = nearest(stem, ['model', 'serving', 'version', 'environment', 'release']);
  return { kind: 'unread', meant: meant === null || `${meant}.yaml` === file ? null : `${meant}.yaml` };
}
