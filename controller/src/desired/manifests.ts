import {
  API_VERSION,
  Environment,
  type ErrorCode,
  Freeze,
  Hold,
  Model,
  ModelVersion,
  type Problem,
  Release,
  Serving,
} from '@switchback-ml/schemas';
import type { ZodError, ZodType } from 'zod';
import type { RepositoryFile } from './desired-state.ts';
import { type Document, parseDocument } from './document.ts';
import { nearest } from './nearest.ts';

type Kinds = {
  model: Model;
  serving: Serving;
  version: ModelVersion;
  environment: Environment;
  'environment-serving': Serving;
  release: Release;
  hold: Hold;
  freeze: Freeze;
};

const SCHEMAS: { [Kind in keyof Kinds]: ZodType<Kinds[Kind]> } = {
  model: Model,
  serving: Serving,
  version: ModelVersion,
  environment: Environment,
  'environment-serving': Serving,
  release: Release,
  hold: Hold,
  freeze: Freeze,
};

export type Parsed<Kind extends keyof Kinds> =
  | { ok: true; manifest: Kinds[Kind] }
  | { ok: false; problems: Problem[] };

/** Parses made so far, by kind and blob: the same bytes at the same kind of place always mean the same. */
export type ParseMemory = Map<string, Parsed<keyof Kinds>>;

/** Parses one file as what its path says it is. */
export function parseManifest<Kind extends keyof Kinds>(
  kind: Kind,
  path: string,
  file: RepositoryFile,
  memory: ParseMemory,
): Parsed<Kind> {
  const key = `${kind}:${path}:${file.blob}`;
  const known = memory.get(key);
  if (known) return known as Parsed<Kind>;
  const parsed = parse(kind, path, file);
  memory.set(key, parsed);
  return parsed;
}

function parse<Kind extends keyof Kinds>(kind: Kind, path: string, file: RepositoryFile): Parsed<Kind> {
  if (file.kind === 'refused')
    return failure(path, file.code as ErrorCode, file.message, 'Commit an ordinary text file.');
  if (file.kind !== 'manifest')
    return failure(path, 'E_FILE_KIND', 'is not a text file', 'Commit the manifest itself, not by LFS.');
  const read = parseDocument(file.text);
  if ('flaw' in read) {
    const { code, message, remedy, line } = read.flaw;
    return failure(path, code, message, remedy, line);
  }
  const result = SCHEMAS[kind].safeParse(read.document.value);
  if (result.success) return { ok: true, manifest: result.data };
  return { ok: false, problems: explain(path, result.error, read.document) };
}

function failure(
  path: string,
  code: ErrorCode,
  what: string,
  remedy: string,
  line?: number,
): { ok: false; problems: Problem[] } {
  return {
    ok: false,
    problems: [
      {
        code,
        severity: 'error',
        path,
        message: `${path} ${what}`,
        remedy,
        ...(line === undefined ? {} : { line }),
      },
    ],
  };
}

/** One problem an issue: the line, the field, what was expected, and the nearest name for an unknown field. */
function explain(path: string, error: ZodError, document: Document): Problem[] {
  return error.issues.slice(0, 20).map(issue => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const at = unknown === undefined ? issue.path : [...issue.path, unknown];
    const field = at.map(String).join('.');
    const line = document.lineOf(at);
    const code: ErrorCode =
      field === 'apiVersion'
        ? 'E_MANIFEST_API_VERSION'
        : field === 'kind'
          ? 'E_MANIFEST_KIND'
          : 'E_MANIFEST_FIELD';
    return {
      code,
      severity: 'error',
      path,
      ...(line === undefined ? {} : { line }),
      field,
      message: `${path}${line === undefined ? '' : `:${line}`} ${field}: ${wording(issue, unknown)}`,
      remedy: remedy(issue, field, unknown),
    } satisfies Problem;
  });
}

function wording(issue: ZodError['issues'][number], unknown: string | undefined): string {
  if (unknown !== undefined) return 'is not a field of this kind';
  return issue.message.replace(/^Invalid input: /, '');
}

function remedy(issue: ZodError['issues'][number], field: string, unknown: string | undefined): string {
  if (unknown !== undefined) {
    const known = nearest(unknown, FIELD_NAMES);
    return known ? `Did you mean "${known}"?` : 'Remove it; docs/reference lists the fields.';
  }
  if (field === 'apiVersion')
    return `This controller reads ${API_VERSION}. Write that, or upgrade the controller.`;
  if (issue.code === 'invalid_type' && issue.expected === 'string')
    return 'Quote it: YAML reads 1.10 as a number.';
  return 'See docs/reference for the kind.';
}

/** Every field name of every kind, for the nearest-name hint. */
const FIELD_NAMES = (
  'apiVersion kind version digest artifacts signature inputs outputs datatype shape framework parameters lineage source ' +
  'datasets evaluation metric value on slice rows better sha256 size tolerance description owners task limits memory ' +
  'timeout maxBatch rollout canary steps weight for requests undecided after then bake objectives fast available valid ' +
  'under target breach output within promotesFrom mode promotion by merge approvals gates soak require rollback write ' +
  'atMost defaults reason until evidence settings model local repository commit run role name'
).split(' ');
