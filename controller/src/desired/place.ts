import { EnvironmentName, ModelName, VersionLabel } from '@switchback-ml/schemas';

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
  /** In one of our folders, with a name that no grammar allows. */
  | { kind: 'bad-name'; part: string };

export function placeOf(path: string): Place {
  const parts = path.split('/');
  if (parts[0] === 'models') return modelPlace(parts.slice(1));
  if (parts[0] === 'environments') return environmentPlace(parts.slice(1));
  return { kind: 'other' };
}

function modelPlace(parts: string[]): Place {
  const versions = parts.indexOf('versions');
  const [folderParts, rest] =
    versions > 0 ? [parts.slice(0, versions), parts.slice(versions)] : [parts.slice(0, -1), parts.slice(-1)];
  if (folderParts.length === 0 || folderParts.length > 2) return { kind: 'other' };
  const bad = folderParts.find(part => !ModelName.safeParse(part).success);
  if (bad !== undefined) return { kind: 'bad-name', part: bad };
  const model = ModelName.parse(folderParts.at(-1));
  const folder = folderParts.join('/');

  if (versions > 0) {
    const label = VersionLabel.safeParse(rest[1]);
    if (rest.length !== 3) return { kind: 'other' };
    if (!label.success) return { kind: 'bad-name', part: rest[1] ?? '' };
    const file = rest[2] ?? '';
    if (file === 'version.yaml') return { kind: 'version', model, folder, label: label.data };
    return { kind: 'artifact', model, folder, label: label.data, file };
  }
  if (rest[0] === 'model.yaml') return { kind: 'model', model, folder };
  if (rest[0] === 'serving.yaml') return { kind: 'serving', model, folder };
  return { kind: 'other' };
}

function environmentPlace(parts: string[]): Place {
  const name = EnvironmentName.safeParse(parts[0]);
  if (parts.length < 2 || !parts.at(-1)?.endsWith('.yaml')) return { kind: 'other' };
  if (!name.success) return { kind: 'bad-name', part: parts[0] ?? '' };
  const environment = name.data;
  if (parts.length === 2)
    return parts[1] === 'environment.yaml' ? { kind: 'environment', environment } : { kind: 'other' };
  if (parts[1] === 'freezes' && parts.length === 3) return { kind: 'freeze', environment };

  const file = parts.at(-1) ?? '';
  const inHolds = parts.at(-2) === 'holds';
  const modelParts = parts.slice(1, inHolds ? -2 : -1);
  if (modelParts.length === 0 || modelParts.length > 2) return { kind: 'other' };
  const bad = modelParts.find(part => !ModelName.safeParse(part).success);
  if (bad !== undefined) return { kind: 'bad-name', part: bad };
  const model = ModelName.parse(modelParts.at(-1));
  if (inHolds) return { kind: 'hold', environment, model };
  if (file === 'release.yaml') return { kind: 'release', environment, model };
  if (file === 'serving.yaml') return { kind: 'environment-serving', environment, model };
  return { kind: 'other' };
}
