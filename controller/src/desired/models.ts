import type { ModelName, Problem, ServingPart } from '@switchback-ml/schemas';
import type { DesiredModel, DesiredVersion, RepositoryHistory } from './desired-state.ts';
import type { Files, ModelGroups } from './groups.ts';
import { isSameList, isSameMap, type Recall } from './memory.ts';
import { complain, type PlacedFile, readManifest } from './placed-file.ts';
import { readVersion } from './versions.ts';

/** What stands of one model below `models/`. */
export interface ReadModel {
  model: DesiredModel;
  /** What the model itself says of how it is run; null: it says nothing. */
  serving: { placed: PlacedFile; part: ServingPart | null } | null;
  /** Versions whose files are there and can't be trusted, and how many of `model.versions` each comes after. */
  unread: readonly { label: string; path: string; after: number }[];
  /** Two folders claim the name: neither is followed, and what runs is kept. */
  isDisputed: boolean;
  problems: readonly Problem[];
}

export interface Models {
  /** In the order of their names; the same map as long as nothing in it is another. */
  byName: ReadonlyMap<ModelName, ReadModel>;
  /** As later stages see them. */
  models: ReadonlyMap<ModelName, DesiredModel>;
  /** The same list as long as no model comes or goes. */
  names: readonly ModelName[];
  problems: readonly Problem[];
}

export function readModels(groups: ModelGroups, texts: RepositoryHistory['texts'], recall: Recall): Models {
  const byName = new Map<ModelName, ReadModel>();
  const models = new Map<ModelName, DesiredModel>();
  const problems: Problem[] = [];
  for (const [name, { files }] of groups.byName) {
    const read = recall.part(name, [files], () => readModel(name, files, texts));
    if (!read) continue;
    byName.set(name, read);
    models.set(name, read.model);
    if (read.problems.length > 0) problems.push(...read.problems);
  }
  // No model has a blank in its name.
  return {
    byName: recall.settled('by name', byName, isSameMap),
    models: recall.settled('all models', models, isSameMap),
    names: recall.settled('all names', [...models.keys()], isSameList),
    problems,
  };
}

/** Null where nothing but loose artifacts bear the name. */
function readModel(name: ModelName, files: Files, texts: RepositoryHistory['texts']): ReadModel | null {
  const said = files.filter(({ place }) => place.kind !== 'artifact');
  const folders = [...new Set(said.map(({ place }) => ('folder' in place ? place.folder : '')))];
  const [folder, ...others] = folders;
  if (folder === undefined) return null;
  if (others.length > 0) return disputed(name, folders, said);

  const byPath = new Map(files.map(({ path, file }) => [path, file]));
  const problems: Problem[] = [];
  const reading = { texts, problems, fileAt: (path: string) => byPath.get(path) };
  let serving: ReadModel['serving'] = null;
  const found: { placed: PlacedFile; label: string; version: DesiredVersion | null }[] = [];
  for (const placed of said) {
    const { place } = placed;
    if (place.kind === 'model') readManifest('model', placed, problems);
    if (place.kind === 'serving') serving = { placed, part: readManifest('serving', placed, problems) };
    if (place.kind === 'version')
      found.push({ placed, label: place.label, version: readVersion(placed, place.label, reading) });
  }
  found.sort(byIntroduction);
  const versions: DesiredVersion[] = [];
  const unread: { label: string; path: string; after: number }[] = [];
  for (const { label, placed, version } of withoutTwins(found, problems)) {
    if (version) versions.push(version);
    else unread.push({ label, path: placed.path, after: versions.length });
  }
  return { model: { name, folder, versions }, serving, unread, isDisputed: false, problems };
}

/** Following either would let whoever adds a folder take over the name of somebody else's model. */
function disputed(name: ModelName, folders: readonly string[], said: Files): ReadModel {
  const second = said.find(({ place }) => 'folder' in place && place.folder === folders[1]);
  const problem = complain(second!, {
    code: 'E_DUPLICATE_NAME',
    message: `the model name "${name}" stands in models/${folders.slice(0, 5).join(' and in models/')}`,
    remedy: 'Rename all but one of the folders: names are unique. Until then what runs is kept.',
  });
  const model = { name, folder: folders[0]!, versions: [] };
  return { model, serving: null, unread: [], isDisputed: true, problems: [problem] };
}

/** Labels that differ in case alone are one folder on many machines: the one that came first keeps the name. */
function withoutTwins<Found extends { placed: PlacedFile; label: string; version: DesiredVersion | null }>(
  found: readonly Found[],
  problems: Problem[],
): Found[] {
  const first = new Map<string, PlacedFile>();
  return found.map(one => {
    const folded = one.label.toLowerCase();
    const twin = first.get(folded);
    if (!twin) {
      first.set(folded, one.placed);
      return one;
    }
    problems.push(
      complain(one.placed, {
        code: 'E_DUPLICATE_NAME',
        message: `its name differs from ${twin.path} in upper and lower case alone`,
        remedy: 'Rename it: many file systems keep one of the two.',
      }),
    );
    return { ...one, version: null };
  });
}

/** By the commits that introduced them; what no commit has introduced yet comes last. */
function byIntroduction(
  a: { placed: PlacedFile; label: string },
  b: { placed: PlacedFile; label: string },
): number {
  return rankOf(a.placed) - rankOf(b.placed) || (a.label < b.label ? -1 : 1);
}

function rankOf({ rank }: Pick<PlacedFile, 'rank'>): number {
  return rank ?? Number.MAX_SAFE_INTEGER;
}
