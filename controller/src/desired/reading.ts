import type { ErrorCode, Problem } from '@switchback-ml/schemas';
import type { RepositoryFile, RepositoryHistory } from './desired-state.ts';
import { type Parsed, type ParseMemory, parseManifest } from './manifests.ts';
import { type Place, placeOf } from './place.ts';

export interface PlacedFile {
  path: string;
  place: Place;
  file: RepositoryFile;
}

type Manifest<Kind extends Parameters<typeof parseManifest>[0]> = Extract<
  Parsed<Kind>,
  { ok: true }
>['manifest'];

/** One pass over one tree: parses files as what their paths say, and gathers what is wrong with them. */
export class Reading {
  readonly files: readonly PlacedFile[];
  readonly byPath: ReadonlyMap<string, RepositoryFile>;
  readonly history: RepositoryHistory;
  readonly problems: Problem[] = [];
  readonly #memory: ParseMemory;

  constructor(files: ReadonlyMap<string, RepositoryFile>, history: RepositoryHistory, memory: ParseMemory) {
    this.byPath = files;
    this.history = history;
    this.#memory = memory;
    this.files = [...files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, file]) => ({ path, place: placeOf(path), file }));
    for (const { path, place } of this.files) {
      if (place.kind !== 'bad-name') continue;
      this.report(
        'E_PATH_NAME',
        path,
        `${path}: "${place.part}" is not a name`,
        'Names are DNS labels: lower-case letters, digits and "-".',
      );
    }
  }

  /** The manifest, or null with its problems reported. */
  parse<Kind extends Parameters<typeof parseManifest>[0]>(
    kind: Kind,
    path: string,
    file: RepositoryFile,
  ): Manifest<Kind> | null {
    const parsed = parseManifest(kind, path, file, this.#memory);
    if (!parsed.ok) this.problems.push(...parsed.problems);
    return parsed.ok ? (parsed.manifest as Manifest<Kind>) : null;
  }

  /** The same for a former text, whose problems are nobody's concern any more. */
  quietly<Kind extends Parameters<typeof parseManifest>[0]>(
    kind: Kind,
    path: string,
    file: RepositoryFile,
  ): Manifest<Kind> | null {
    const parsed = parseManifest(kind, path, file, this.#memory);
    return parsed.ok ? (parsed.manifest as Manifest<Kind>) : null;
  }

  report(code: ErrorCode, path: string, message: string, remedy: string): void {
    this.problems.push({ code, severity: 'error', path, message, remedy });
  }
}
