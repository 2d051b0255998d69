import {
  API_VERSION,
  type Environment,
  type EnvironmentName,
  type Freeze,
  type Hold,
  type ModelName,
  type Release,
  type ServingPart,
} from '@switchback-ml/schemas';
import type { PlacedFile, Reading } from './reading.ts';

/** What one environment's folder holds, before it is put together. */
export interface EnvironmentFolder {
  manifest: Environment | null;
  path: string;
  freezes: (Freeze & { path: string })[];
  /** Null: a file that is there but can't be read. */
  releases: Map<ModelName, { path: string; release: Release | null }>;
  serving: Map<ModelName, { path: string; serving: ServingPart | null }>;
  holds: Map<ModelName, (Hold & { path: string })[]>;
  /** Paths of holds that can't be read: what they hold is told by their names alone. */
  unreadableHolds: Map<ModelName, string[]>;
}

export function readFolders(reading: Reading): Map<EnvironmentName, EnvironmentFolder> {
  const folders = new Map<EnvironmentName, EnvironmentFolder>();
  for (const placed of reading.files) {
    if (!('environment' in placed.place)) continue;
    const { environment } = placed.place;
    const folder = folders.get(environment) ?? emptyFolder(environment);
    folders.set(environment, folder);
    readInto(folder, reading, placed);
  }
  return folders;
}

function emptyFolder(name: EnvironmentName): EnvironmentFolder {
  return {
    manifest: null,
    path: `environments/${name}/environment.yaml`,
    freezes: [],
    releases: new Map(),
    serving: new Map(),
    holds: new Map(),
    unreadableHolds: new Map(),
  };
}

function readInto(folder: EnvironmentFolder, reading: Reading, { path, place, file }: PlacedFile): void {
  if (place.kind === 'environment') folder.manifest = reading.parse('environment', path, file);
  if (place.kind === 'freeze')
    folder.freezes.push({ ...freezeOf(reading.parse('freeze', path, file)), path });
  if (place.kind === 'release') {
    const release = reading.parse('release', path, file);
    const other = folder.releases.get(place.model);
    if (other) reportTwice(reading, path, other.path);
    folder.releases.set(place.model, other ? { ...other, release: null } : { path, release });
  }
  if (place.kind === 'environment-serving') {
    const serving = reading.parse('environment-serving', path, file);
    const other = folder.serving.get(place.model);
    if (other) reportTwice(reading, path, other.path);
    folder.serving.set(place.model, other ? { ...other, serving: null } : { path, serving });
  }
  if (place.kind === 'hold') {
    const hold = reading.parse('hold', path, file);
    if (hold) add(folder.holds, place.model, { ...hold, path });
    else add(folder.unreadableHolds, place.model, path);
  }
}

/** A freeze that can't be read is still somebody's wish that nothing moves. */
function freezeOf(freeze: Freeze | null): Freeze {
  return freeze ?? { apiVersion: API_VERSION, kind: 'Freeze', reason: 'its file can not be read' };
}

/** Two files that say the same thing of one model: neither can be followed. */
function reportTwice(reading: Reading, path: string, other: string): void {
  reading.report(
    'E_DUPLICATE_NAME',
    path,
    `${path} and ${other} speak of the same model`,
    'Keep one of the two: the name of a model is unique, whatever team it stands under.',
  );
}

function add<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}
