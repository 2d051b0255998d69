import type { EnvironmentName, ModelName } from '@switchback-ml/schemas';
import type { PathChange, RepositoryFile, RepositoryHistory } from './desired-state.ts';
import { MapChanges } from './map-changes.ts';
import { type PlacedFile, placeFile } from './placed-file.ts';

/** Files that are read together, by path; another list as soon as one of them is another. */
export type Files = readonly PlacedFile[];

interface Group {
  /** Of which models, environments or deployments; null: of none. */
  model: ModelName | null;
  environment: EnvironmentName | null;
  files: Files;
}

/** In the order of their names; another value as soon as anything of one of them is another. */
export interface ModelGroups {
  byName: ReadonlyMap<ModelName, { files: Files }>;
}

/** The same of one environment: what it says of itself, and of each model. */
export interface EnvironmentGroups {
  own: { files: Files } | null;
  deployments: ReadonlyMap<ModelName, { files: Files }>;
}

type Touched = Map<string, Map<string, PlacedFile | null>>;

/** The newest tree, sorted by what its files are about. Moving it to the next tree costs what has changed. */
export class Groups {
  readonly #placed = new Map<string, PlacedFile>();
  readonly #groups = new Map<string, Group>();
  readonly #changes = {
    files: new MapChanges<RepositoryFile>(),
    paths: new MapChanges<readonly PathChange[]>(),
    order: new MapChanges<number>(),
  };
  #models: ModelGroups & { byName: Map<ModelName, Group> } = { byName: new Map() };
  #environments = new Map<
    EnvironmentName,
    EnvironmentGroups & { own: Group | null; deployments: Map<ModelName, Group> }
  >();

  get models(): ModelGroups {
    return this.#models;
  }

  /** In the order of their names. */
  get environments(): ReadonlyMap<EnvironmentName, EnvironmentGroups> {
    return this.#environments;
  }

  /** What belongs nowhere and must be told. */
  get strays(): Files {
    return this.#groups.get(STRAYS)?.files ?? NO_FILES;
  }

  /** Every file that belongs somewhere. */
  *all(): Generator<PlacedFile> {
    for (const { files } of this.#groups.values()) yield* files;
  }

  advance(files: ReadonlyMap<string, RepositoryFile>, history: RepositoryHistory): void {
    const { files: changed, paths, order } = this.#changes;
    const touched: Touched = new Map();
    for (const path of [
      ...changed.since(files),
      ...paths.since(history.paths),
      ...order.since(history.order),
    ]) {
      const known = this.#placed.get(path);
      const file = files.get(path);
      const placed = file && placeFile(path, file, history, known);
      if (placed === known) continue;
      if (known) touch(touched, known, null);
      if (placed) touch(touched, placed, placed);
      if (placed) this.#placed.set(path, placed);
      else this.#placed.delete(path);
    }
    this.#regroup(touched);
  }

  #regroup(touched: Touched): void {
    let isArranged = true;
    for (const [name, changes] of touched) {
      const known = this.#groups.get(name);
      const kept = (known?.files ?? []).filter(({ path }) => !changes.has(path));
      const files = [...kept, ...[...changes.values()].filter(file => file !== null)].sort(byPath);
      const [first] = files;
      if (first === undefined) this.#groups.delete(name);
      else if (known) known.files = files;
      else this.#groups.set(name, { ...subjectOf(first), files });
      if (known === undefined || first === undefined) isArranged = false;
      else this.#renew(known);
    }
    if (!isArranged) this.#arrange();
  }

  #renew({ model, environment }: Group): void {
    if (environment === null) {
      if (model !== null) this.#models = { ...this.#models };
      return;
    }
    const known = this.#environments.get(environment);
    if (known) this.#environments.set(environment, { ...known });
  }

  /** Only when a model, an environment or a deployment came or went. */
  #arrange(): void {
    this.#models = { byName: new Map() };
    this.#environments = new Map();
    const groups = [...this.#groups].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, group] of groups) {
      const { model, environment } = group;
      if (environment === null) {
        if (model !== null) this.#models.byName.set(model, group);
        continue;
      }
      const found = this.#environments.get(environment) ?? { own: null, deployments: new Map() };
      this.#environments.set(environment, found);
      if (model === null) found.own = group;
      else found.deployments.set(model, group);
    }
    this.#environments = new Map([...this.#environments].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

const STRAYS = 'strays';
const NO_FILES: Files = [];

function touch(touched: Touched, placed: PlacedFile, now: PlacedFile | null): void {
  const name = groupName(placed);
  if (name === null) return;
  const changes = touched.get(name);
  if (changes) changes.set(placed.path, now);
  else touched.set(name, new Map([[placed.path, now]]));
}

/** Null: no manifest, and nothing that has to be told. */
function groupName({ place }: PlacedFile): string | null {
  if (place.kind === 'other') return null;
  if (place.kind === 'bad-name' || place.kind === 'unread' || place.kind === 'hidden-folder') return STRAYS;
  if (!('environment' in place)) return `model ${place.model}`;
  if (!('model' in place)) return `environment ${place.environment}`;
  return `deployment ${place.environment} ${place.model}`;
}

function subjectOf({ place }: PlacedFile): Omit<Group, 'files'> {
  return {
    model: 'model' in place ? place.model : null,
    environment: 'environment' in place ? place.environment : null,
  };
}

function byPath(a: PlacedFile, b: PlacedFile): number {
  return a.path < b.path ? -1 : 1;
}
