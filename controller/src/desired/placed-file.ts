import type { ErrorCode, Problem } from '@switchback-ml/schemas';
import type { PathChange, RepositoryFile, RepositoryHistory } from './desired-state.ts';
import {
  isManifestKind,
  lineOfField,
  type ManifestKind,
  type Manifests,
  type Parsed,
  parseManifest,
} from './manifests.ts';
import { isFolderPath, type Place, placeOf } from './place.ts';

/** A file of the newest tree with what its path makes of it. Replaced, never changed, when the file is another. */
export interface PlacedFile {
  readonly path: string;
  readonly place: Place | { kind: 'hidden-folder' };
  readonly file: RepositoryFile;
  /** Of a version: its first-parent changes, oldest first, and the rank of the commit that introduced it. */
  readonly changes: readonly PathChange[] | undefined;
  readonly rank: number | undefined;
  /** Its parse, once somebody asked; the same bytes at the same place always mean the same. */
  parsed?: Parsed<ManifestKind>;
}

/** The file as it stands now; `known` is handed back when nothing about it is new. */
export function placeFile(
  path: string,
  file: RepositoryFile,
  history: RepositoryHistory,
  known: PlacedFile | undefined,
): PlacedFile {
  const isSame = known !== undefined && isSameFile(known.file, file);
  const isVersion = isSame ? known.place.kind === 'version' : path.endsWith('/version.yaml');
  const changes = isVersion ? history.paths.get(path) : undefined;
  const rank = isVersion ? history.order.get(path) : undefined;
  if (!isSame) return { path, place: placeIn(path, file), file, changes, rank };
  if (known.changes === changes && known.rank === rank) return known;
  return { ...known, changes, rank };
}

/** The manifest, or null with its problems told. */
export function readManifest<Kind extends ManifestKind>(
  kind: Kind,
  placed: PlacedFile,
  problems: Problem[],
): Manifests[Kind] | null {
  placed.parsed ??= parseManifest(kind, placed.path, placed.file);
  if (!placed.parsed.ok) problems.push(...placed.parsed.problems);
  return placed.parsed.ok ? (placed.parsed.manifest as Manifests[Kind]) : null;
}

/** Parses it now rather than when it is asked for; false: there is nothing to do. */
export function readAhead(placed: PlacedFile): boolean {
  const { kind } = placed.place;
  if (placed.parsed !== undefined || !isManifestKind(kind)) return false;
  placed.parsed = parseManifest(kind, placed.path, placed.file);
  return true;
}

export interface Complaint {
  code: ErrorCode;
  severity?: Problem['severity'];
  /** Where in the manifest; the line is found from it. */
  field?: readonly PropertyKey[];
  message: string;
  remedy: string;
}

/** What is wrong with a manifest although it can be read. */
export function complain(
  { path, file }: { path: string; file?: RepositoryFile },
  { code, severity = 'error', field, message, remedy }: Complaint,
): Problem {
  const line = field === undefined || !file ? undefined : lineOfField(file, field);
  const name = field?.map(String).join('.');
  return {
    code,
    severity,
    path,
    ...(line === undefined ? {} : { line }),
    ...(name === undefined ? {} : { field: name }),
    message: `${path}${line === undefined ? '' : `:${line}`} ${name === undefined ? '' : `${name}: `}${message}`,
    remedy,
  };
}

/** A link or a submodule where a folder of ours could stand hides everything that would be below. */
function placeIn(path: string, file: RepositoryFile): PlacedFile['place'] {
  const isHiding = file.kind === 'refused' && file.code === 'E_FILE_KIND' && isFolderPath(path);
  return isHiding ? { kind: 'hidden-folder' } : placeOf(path);
}

function isSameFile(a: RepositoryFile, b: RepositoryFile): boolean {
  return a === b || (a.blob === b.blob && a.mode === b.mode && a.kind === b.kind);
}
