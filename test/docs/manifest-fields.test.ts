import { readFileSync } from 'node:fs';
import { Environment, Freeze, Hold, Model, ModelVersion, Release, Serving } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { effectiveSettings } from '../../controller/src/desired/settings.ts';
import { DEFAULT_TOLERANCE } from '../../runtime/src/loading/golden.ts';
import { type FieldRow, fieldRows, probesOf } from './manifest-fields.fixture.ts';

type Document = Record<string, unknown>;

/** The part of a JSON Schema that says which fields there are. */
interface Node {
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
  enum?: unknown[];
  const?: unknown;
}

const kinds: Record<string, z.ZodType> = { Model, ModelVersion, Environment, Serving, Release, Hold, Freeze };
const page = readFileSync('docs/reference/manifests.md', 'utf8');
const rows = fieldRows(page);
const examples = new Map(
  [...page.matchAll(/```yaml\n([\s\S]+?)```/g)].map(([, text]) => {
    const document = parse(text ?? '') as Document;
    return [document['kind'] as string, document];
  }),
);
const named = rows.map(row => [`${row.kind} ${row.field}`, row] as const);

test.each(Object.keys(kinds))('the page lists every field of %s, and no other', kind => {
  const known = new Set(fieldsOf(schemaOf(kind), '').map(({ field }) => field));
  const listed = rows.filter(row => row.kind === kind).map(row => unnamed(row.field));

  expect(listed.toSorted()).toEqual([...known].toSorted());
});

test.each(Object.keys(kinds))('where a field of %s takes one of some words, the page has them all', kind => {
  const said = (field: string): string | undefined =>
    rows.find(row => row.kind === kind && unnamed(row.field) === field)?.takes;
  const unsaid = fieldsOf(schemaOf(kind), '').flatMap(({ field, words }) =>
    words.filter(word => !said(field)?.includes(`\`${word}\``)).map(word => `${field}: ${word}`),
  );

  expect(unsaid).toEqual([]);
});

test.each(named)('%s takes what the page says, and nothing beyond', (_, row) => {
  const { within, beyond } = probesOf(row.takes, at(exampleOf(row), row.field));
  const isTaken = (value: unknown): boolean =>
    kinds[row.kind]!.safeParse(changed(exampleOf(row), row.field, value)).success;

  expect(within.filter(value => !isTaken(value))).toEqual([]);
  expect(beyond.filter(isTaken)).toEqual([]);
});

test.each(named)('%s may be left out where the page says so, and only there', (_, row) => {
  const { success } = kinds[row.kind]!.safeParse(changed(exampleOf(row), row.field, undefined));

  expect(success).toBe(!row.isRequired);
});

test.each(named.filter(([, { fallback }]) => fallback !== undefined))(
  '%s means what the page says where it is left out',
  (_, row) => {
    const parent = row.field.slice(0, row.field.lastIndexOf('.'));
    const whole = row.isRequired ? parent : row.field;
    const siblings = rows.filter(
      ({ kind, field }) =>
        kind === row.kind && (field === row.field || (row.isRequired && field.startsWith(`${parent}.`))),
    );
    const absent = changed(exampleOf(row), whole, undefined);
    const said = siblings.reduce(
      (document, { field, fallback = 'null' }) => changed(document, field, parse(fallback)),
      absent,
    );

    expect(meaning(row, said)).toEqual(meaning(row, absent));
  },
);

interface Field {
  field: string;
  /** Those that the schema names one by one. */
  words: readonly unknown[];
}

/** Without what every kind has; `defaults` is a Serving, whose fields are listed once. */
function schemaOf(kind: string): Node {
  const schema = z.toJSONSchema(kinds[kind]!, { io: 'input', unrepresentable: 'any' }) as Node;
  const { apiVersion: _, kind: __, defaults, ...own } = schema.properties ?? {};
  return { properties: { ...own, ...(defaults && { defaults: {} }) } };
}

/** Whatever a person may write at a place: scalars, lists and free names; what only groups others is none. */
function fieldsOf(node: Node, path: string): Field[] {
  const variants = [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  const objects = variants.flatMap(({ properties }) => properties ?? []);
  if (objects.length > 0)
    return objects.flatMap(properties =>
      Object.entries(properties).flatMap(([name, inner]) =>
        fieldsOf(inner, path === '' ? name : `${path}.${name}`),
      ),
    );
  const own = { field: path, words: variants.flatMap(one => one.enum ?? one.const ?? []) };
  const { items, additionalProperties: values } = node;
  if (items?.properties) return [own, ...fieldsOf(items, `${path}[]`)];
  if (typeof values === 'object' && values.properties) return [own, ...fieldsOf(values, `${path}.<>`)];
  return [own];
}

/** Names that a person chooses have a name of their own on the page alone. */
const unnamed = (field: string): string => field.replaceAll(/<\w+>/g, '<>');

/** The page's example of the kind, with what the field needs beside it. */
function exampleOf({ kind, field }: FieldRow): Document {
  const example = structuredClone(examples.get(kind) ?? {});
  const needsForge = field.startsWith('promotion.') && field !== 'promotion.by';
  return needsForge ? { ...example, promotion: { by: 'pull-request' } } : example;
}

const stepsTo = (field: string): string[] => field.replaceAll('[]', '.[]').split('.');

function at(document: unknown, field: string): unknown {
  return stepsTo(field).reduce<unknown>(
    (node, step) => (node as Document | undefined)?.[keyOf(node, step)],
    document,
  );
}

/** A copy with `value` at the field, or without the field; of a list on the way only the first element is kept. */
function changed(document: Document, field: string, value: unknown): Document {
  const copy = structuredClone(document);
  const steps = stepsTo(field);
  let node = copy;
  for (const [index, step] of steps.slice(0, -1).entries()) {
    if (Array.isArray(node)) node.splice(1);
    const key = keyOf(node, step);
    node[key] ??= steps[index + 1] === '[]' ? [{}] : {};
    node = node[key] as Document;
  }
  const last = keyOf(node, steps.at(-1)!);
  if (value === undefined) delete node[last];
  else node[last] = value;
  return copy;
}

function keyOf(node: unknown, step: string): string {
  if (step === '[]') return '0';
  return step.startsWith('<') ? (Object.keys(node ?? {})[0] ?? 'x') : step;
}

/** What comes of a document: of settings, once they are merged; else, once it is read. */
function meaning({ kind, field }: FieldRow, document: Document): unknown {
  const read = kinds[kind]!.parse(document);
  if (kind === 'Serving') return effectiveSettings([read as Serving]);
  const tolerance = { ...(at(read, field) === undefined && { tolerance: DEFAULT_TOLERANCE }) };
  return field.endsWith('.tolerance') ? { ...(at(read, parentOf(field)) as object), ...tolerance } : read;
}

const parentOf = (field: string): string => field.slice(0, field.lastIndexOf('.'));
