import {
  Environment,
  type ErrorCode,
  Freeze,
  Hold,
  type KnownFields,
  knownFields,
  Model,
  ModelVersion,
  type Problem,
  Release,
  Serving,
} from '@switchback-ml/schemas';
import type { ZodType } from 'zod';
import type { RepositoryFile } from './desired-state.ts';
import { parseDocument } from './document.ts';
import { explain, explainHead } from './explain.ts';
import { type Flaw, flaw } from './flaw.ts';
import { OUT_OF_LFS } from './lfs-remedy.ts';

/** What a manifest is read as, by where it stands. */
export interface Manifests {
  model: Model;
  serving: Serving;
  version: ModelVersion;
  environment: Environment;
  'environment-serving': Serving;
  release: Release;
  hold: Hold;
  freeze: Freeze;
}
export type ManifestKind = keyof Manifests;

interface Kind<Manifest> {
  /** As the document itself says it. */
  name: string;
  schema: ZodType<Manifest>;
  fields: KnownFields;
}

const KINDS: { [Key in ManifestKind]: Kind<Manifests[Key]> } = {
  model: kind('Model', Model),
  serving: kind('Serving', Serving),
  version: kind('ModelVersion', ModelVersion),
  environment: kind('Environment', Environment),
  'environment-serving': kind('Serving', Serving),
  release: kind('Release', Release),
  hold: kind('Hold', Hold),
  freeze: kind('Freeze', Freeze),
};

export const isManifestKind = (kind: string): kind is ManifestKind => Object.hasOwn(KINDS, kind);

export type Parsed<Key extends ManifestKind> =
  | { ok: true; manifest: Manifests[Key] }
  | { ok: false; problems: Problem[] };

/** Parses one file as what its path says it is. */
export function parseManifest<Key extends ManifestKind>(
  key: Key,
  path: string,
  file: RepositoryFile,
): Parsed<Key> {
  const found = read(KINDS[key], file);
  if (!('flaws' in found)) return { ok: true, manifest: found.manifest };
  return { ok: false, problems: found.flaws.map(one => problemOf(path, one)) };
}

/** Whether a version can carry a fact at this dotted path. */
export const isVersionPath = (path: string): boolean => KINDS.version.fields.has(path.split('.'));

/** The line of a field in a manifest that was parsed before; parsed again, since trees of syntax are large. */
export function lineOfField(file: RepositoryFile, path: readonly PropertyKey[]): number | undefined {
  if (file.kind !== 'manifest') return undefined;
  const read = parseDocument(file.text);
  return 'document' in read ? read.document.lineOf(path) : undefined;
}

function kind<Manifest>(name: string, schema: ZodType<Manifest>): Kind<Manifest> {
  return { name, schema, fields: knownFields(schema) };
}

function read<Manifest>(
  { name, schema, fields }: Kind<Manifest>,
  file: RepositoryFile,
): { manifest: Manifest } | { flaws: Flaw[] } {
  if (file.kind === 'refused') return { flaws: [flaw(file.code as ErrorCode, { message: file.message })] };
  if (file.kind !== 'manifest') {
    const message = 'is in Git LFS, and a manifest has to be in git itself';
    return { flaws: [flaw('E_FILE_KIND', { message, remedy: `Run: ${OUT_OF_LFS}` })] };
  }
  const parsed = parseDocument(file.text);
  if ('flaw' in parsed) return { flaws: [parsed.flaw] };
  const head = explainHead(parsed.document, name);
  if (head) return { flaws: [head] };
  const result = schema.safeParse(parsed.document.value);
  return result.success
    ? { manifest: result.data }
    : { flaws: explain(result.error, parsed.document, fields) };
}

function problemOf(path: string, { code, message, remedy, line, field }: Flaw): Problem {
  return {
    code,
    severity: 'error',
    path,
    ...(line === undefined ? {} : { line }),
    ...(field === undefined ? {} : { field }),
    message: `${path}${line === undefined ? '' : `:${line}`} ${message}`,
    remedy,
  };
}
