import { isAlias, isMap, isNode, isPair, isScalar, type Node, type Scalar } from 'yaml';
import { type Flaw, flaw } from './flaw.ts';
import { DEEPEST, holdsUnseen } from './refuse-unparsed.ts';
import { isSecretName, secretIn } from './secret.ts';

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
/** What YAML's core schema would find by itself; sets, ordered maps and binaries become other things than plain data. */
const PLAIN_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map(name => `tag:yaml.org,2002:${name}`),
);

interface Visit {
  node: unknown;
  path: readonly PropertyKey[];
}

type Found = { flaw: Flaw; offset: number };

/** Looks for what the parser lets through; iterative, so that depth can't overflow the stack. */
export function inspect(root: Node, text: string): Found | null {
  const todo: Visit[] = [{ node: root, path: [] }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { node, path } = next;
    if (!isNode(node)) continue;
    const offset = node.range?.[0] ?? 0;
    if (path.length >= DEEPEST) return { flaw: flaw('E_MANIFEST_DEPTH'), offset };
    if (isAlias(node) || ('anchor' in node && node.anchor))
      return { flaw: flaw('E_MANIFEST_ALIAS', fieldOf(path)), offset };
    if (node.tag && !PLAIN_TAGS.has(node.tag))
      return { flaw: flaw('E_MANIFEST_SYNTAX', fieldOf(path)), offset };
    const found = isScalar(node)
      ? inspectScalar(node, path, text)
      : isMap(node)
        ? inspectKeys(node, path)
        : null;
    if (found) return { flaw: found.flaw, offset: found.offset ?? offset };
    if ('items' in node) todo.push(...membersOf(node.items, path).reverse());
  }
  return null;
}

function membersOf(items: readonly unknown[], path: readonly PropertyKey[]): Visit[] {
  return items.map((item, index) => {
    if (!isPair(item)) return { node: item, path: [...path, index] };
    return { node: item.value, path: [...path, isScalar(item.key) ? String(item.key.value) : index] };
  });
}

/** Keys are plain, short, said once, and name nothing that every object inherits. */
function inspectKeys(
  node: { items: readonly { key: unknown; value: unknown }[] },
  path: readonly PropertyKey[],
): { flaw: Flaw; offset?: number } | null {
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? key.value : undefined;
    const at = isNode(key) && key.range ? { offset: key.range[0] } : {};
    if (isAlias(key) || (isNode(key) && 'anchor' in key && key.anchor) || name === '<<')
      return { flaw: flaw('E_MANIFEST_ALIAS', fieldOf(path)), ...at };
    if (typeof name !== 'string' || FORBIDDEN_KEYS.has(name) || (isScalar(key) && key.tag))
      return { flaw: flaw('E_MANIFEST_SYNTAX', fieldOf(path)), ...at };
    if (holdsUnseen(name) || name.includes('\n'))
      return { flaw: flaw('E_MANIFEST_ENCODING', fieldOf(path)), ...at };
    if (seen.has(name)) return { flaw: flaw('E_MANIFEST_DUPLICATE_KEY', fieldOf([...path, name])), ...at };
    seen.add(name);
    const isSaid = isScalar(value) && typeof value.value === 'string' && value.value !== '';
    if (isSaid && isSecretName(name))
      return { flaw: secretFlaw('a secret, by its name', [...path, name]), ...at };
    const secret = secretIn(name);
    if (secret) return { flaw: secretFlaw(secret.what, path), ...at };
  }
  return null;
}

function inspectScalar(
  { value, source, range }: Scalar,
  path: readonly PropertyKey[],
  text: string,
): { flaw: Flaw; offset?: number } | null {
  if (typeof value === 'string') {
    if (holdsUnseen(value)) return { flaw: flaw('E_MANIFEST_ENCODING', fieldOf(path)) };
    // What stands in the text as it is has been looked at there.
    const isPlain = range ? text.slice(range[0], range[1]).includes(value) : false;
    const secret = isPlain ? null : secretIn(value);
    return secret && { flaw: secretFlaw(secret.what, path) };
  }
  if (typeof value !== 'number') return null;
  const isWhole = /^[-+]?\d+$|^0[xo]/.test(source ?? '');
  if (Number.isFinite(value) && (!isWhole || Number.isSafeInteger(value))) return null;
  return {
    flaw: flaw('E_MANIFEST_FIELD', {
      ...fieldOf(path),
      message: `${path.map(String).join('.')}: is a number that can not be kept exactly`,
      remedy: 'Quote it if it is a name; a number is finite, and whole up to 9007199254740991.',
    }),
  };
}

function secretFlaw(what: string, path: readonly PropertyKey[]): Flaw {
  return flaw('E_MANIFEST_SECRET', { ...fieldOf(path), message: `holds what looks like ${what}` });
}

function fieldOf(path: readonly PropertyKey[]): { field?: string } {
  return path.length === 0 ? {} : { field: path.map(String).join('.') };
}
