import { API_VERSION, type KnownFields } from '@switchback-ml/schemas';
import type { ZodError } from 'zod';
import type { Document } from './document.ts';
import { type Flaw, flaw } from './flaw.ts';
import { nearest } from './nearest.ts';

const MOST_FLAWS = 20;
const LONGEST_NAME = 80;

type Issue = ZodError['issues'][number];

/**
 * What is wrong with the first two lines, before anything else is looked at: a manifest of another kind, or of a later
 * time, has other fields, and complaining about them would mislead.
 */
export function explainHead({ value, lineOf }: Document, kind: string): Flaw | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return flaw('E_MANIFEST_FIELD', {
      message: `is no map of fields: it holds ${Array.isArray(value) ? 'a list' : 'one value'}`,
      remedy: `Begin it with apiVersion: ${API_VERSION} and kind: ${kind}.`,
      line: 1,
    });
  const said = value as Record<string, unknown>;
  const at = (field: string) => ({ field, line: lineOf([field]) ?? 1 });
  if (said['apiVersion'] !== API_VERSION)
    return flaw('E_MANIFEST_API_VERSION', { ...apiVersionWords(said['apiVersion']), ...at('apiVersion') });
  if (said['kind'] !== kind)
    return flaw('E_MANIFEST_KIND', {
      message: `kind: is ${shown(said['kind'])}, and the path of this file says ${kind}`,
      remedy: `Write kind: ${kind}, or move the file to where its kind belongs.`,
      ...at('kind'),
    });
  return null;
}

function apiVersionWords(said: unknown): { message: string; remedy: string } {
  const isNewer = typeof said === 'string' && /^switchback\/v\d/.test(said);
  return {
    message: `apiVersion: is ${shown(said)}, which this controller does not read`,
    remedy: isNewer
      ? `It reads ${API_VERSION}: upgrade the controller, or write that. Until then what runs is kept.`
      : `Write apiVersion: ${API_VERSION}.`,
  };
}

/** One flaw an issue: the line, the field, what was expected, and the nearest name for an unknown field. */
export function explain(error: ZodError, document: Document, known: KnownFields): Flaw[] {
  return error.issues
    .slice(0, MOST_FLAWS)
    .flatMap(issue =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map(name => unknownField(document, known, issue.path, name))
        : [wrongField(issue, document)],
    )
    .slice(0, MOST_FLAWS);
}

function unknownField(
  document: Document,
  known: KnownFields,
  path: readonly PropertyKey[],
  name: string,
): Flaw {
  const field = dotted([...path, name]);
  return flaw('E_MANIFEST_FIELD', {
    message: `${field}: is not a field ${path.length === 0 ? 'of this kind' : `of ${dotted(path)}`}`,
    remedy: unknownFieldRemedy(known, path, name),
    field,
    ...lineAt(document, [...path, name]),
  });
}

function unknownFieldRemedy(known: KnownFields, path: readonly PropertyKey[], name: string): string {
  const near = nearest(name, known.below(path));
  const [place] = known.places(name);
  if (place !== undefined)
    return `It belongs to ${place.split('.').slice(0, -1).join('.') || 'the top level'}.`;
  if (near !== null) return `Did you mean "${near}"?`;
  const fields = known.below(path);
  return fields.length > 0 ? `Remove it. There are: ${fields.join(', ')}.` : 'Remove it.';
}

function wrongField(issue: Issue, document: Document): Flaw {
  const field = dotted(issue.path);
  const { isMissing, written } = said(document, issue.path);
  const what = isMissing ? 'is missing' : issue.message.replace(/^Invalid (?:input|option): /, '');
  return flaw('E_MANIFEST_FIELD', {
    message: `${field}: ${what}`,
    remedy: remedyOf(issue, field, isMissing, written),
    field,
    ...lineAt(document, issue.path),
  });
}

function remedyOf(issue: Issue, field: string, isMissing: boolean, written: string | undefined): string {
  if (isMissing) return 'Add it; docs/reference/manifests.md shows an example of the kind.';
  const name = field.split('.').at(-1) ?? '';
  const unit = UNITS.find(({ asked }) => issue.message.startsWith(`must be ${asked} such as`));
  if (unit && written !== undefined) return unit.remedy(name, written);
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string';
  if (wantsText && written !== undefined)
    return `Quote it, or YAML reads something else: ${name}: "${written.slice(0, LONGEST_NAME)}".`;
  return 'See docs/reference/manifests.md for the kind.';
}

/** What people write as bare numbers, and YAML then reads as such: quoting those would not help. */
const UNITS: readonly { asked: string; remedy: (name: string, written: string) => string }[] = [
  {
    asked: 'a duration',
    remedy: (name, written) =>
      isNumber(written)
        ? `Write a unit: ${name}: ${written}s, or with ms, m, h or d.`
        : `Write a number with its unit, ms, s, m, h or d: ${name}: 10s.`,
  },
  {
    asked: 'a size',
    remedy: (name, written) =>
      isNumber(written)
        ? `Write a unit: ${name}: ${written}Mi, or with Ki or Gi.`
        : `Write a number with its unit, Ki, Mi or Gi: ${name}: 512Mi.`,
  },
  {
    asked: 'a percentage',
    remedy: (name, written) =>
      isNumber(written)
        ? `Write a percentage: ${name}: ${percentOf(Number(written))}%.`
        : `Write a number with %: ${name}: 99.9%.`,
  },
  {
    asked: 'a rate',
    remedy: (name, written) =>
      isNumber(written)
        ? `Say in which time: ${name}: ${written} per 1h.`
        : `Write how many in which time: ${name}: 2 per 1h.`,
  },
];

const isNumber = (written: string): boolean => /^\d{1,9}(?:\.\d{1,6})?$/.test(written);

/** Below 1 it is a share of one: 0.999 → 99.9. */
function percentOf(value: number): number {
  return value < 1 ? Number((value * 100).toPrecision(12)) : value;
}

function said(
  { value, writtenAt }: Document,
  path: readonly PropertyKey[],
): { isMissing: boolean; written: string | undefined } {
  let at: unknown = value;
  for (const key of path) at = typeof at === 'object' && at !== null ? (at as never)[key] : undefined;
  return { isMissing: at === undefined, written: writtenAt(path) };
}

function lineAt(document: Document, path: readonly PropertyKey[]): { line?: number } {
  const line = document.lineOf(path);
  return line === undefined ? {} : { line };
}

/** A name from the document may be as long as the document. */
function dotted(path: readonly PropertyKey[]): string {
  return path.map(part => String(part).slice(0, LONGEST_NAME)).join('.');
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value)?.slice(0, LONGEST_NAME) ?? 'missing');
}
