import type { ErrorCode } from '@switchback-ml/schemas';
import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';

/** Enough for any manifest; the parser is quadratic in the keys of a map, so bytes are capped before it runs. */
const MOST_BYTES = 64 * 1024;
const DEEPEST = 40;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype', '<<']);
/** What YAML's core schema would find by itself; sets, ordered maps and binaries become other things than plain data. */
const PLAIN_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map(name => `tag:yaml.org,2002:${name}`),
);

export interface Flaw {
  code: ErrorCode;
  message: string;
  remedy: string;
  line?: number;
}

/** A parsed document that can say on which line a field stands. */
export interface Document {
  value: unknown;
  /** 1-based line of the innermost part of `path` that exists. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Parses one manifest. Hostile until proven otherwise: no aliases, no tags, no duplicate or dangerous keys. */
export function parseDocument(text: string): { document: Document } | { flaw: Flaw } {
  if (Buffer.byteLength(text) > MOST_BYTES) return { flaw: flaw('E_MANIFEST_TOO_LARGE') };
  if (nesting(text) > DEEPEST) return { flaw: flaw('E_MANIFEST_DEPTH') };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text))
    return { flaw: flaw('E_MANIFEST_ENCODING') };

  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    version: '1.2',
  });
  if (!Array.isArray(documents)) return { flaw: flaw('E_MANIFEST_EMPTY') };
  if (documents.length > 1)
    return { flaw: flaw('E_MANIFEST_MANY_DOCUMENTS', lineAt(documents[1]!.range?.[0] ?? 0)) };
  const [parsed] = documents;
  const error = parsed?.errors[0] ?? parsed?.warnings[0];
  if (error?.code === 'RESOURCE_EXHAUSTION') return { flaw: flaw('E_MANIFEST_DEPTH') };
  if (error)
    return {
      flaw: {
        ...flaw('E_MANIFEST_SYNTAX', lineAt(error.pos[0])),
        message: `is not valid YAML: ${error.message}`,
      },
    };
  if (!parsed || parsed.contents === null) return { flaw: flaw('E_MANIFEST_EMPTY') };
  const root: Node = parsed.contents;
  const found = inspect(root);
  if (found) return { flaw: flaw(found.code, lineAt(found.offset)) };
  return { document: { value: parsed.toJS({ maxAliasCount: 0 }), lineOf } };

  function lineAt(offset: number): number {
    return lines.linePos(offset).line;
  }
  function lineOf(path: readonly PropertyKey[]): number | undefined {
    let node: unknown = root;
    let offset = root.range?.[0];
    for (const key of path) {
      const next = memberOf(node, key);
      if (next === null) break;
      offset = next.offset ?? offset;
      node = next.node;
    }
    return offset === undefined ? undefined : lineAt(offset);
  }
}

/** One step into a map or a list, with where it stands; null: there is no such member. */
function memberOf(node: unknown, key: PropertyKey): { node: unknown; offset: number | undefined } | null {
  if (isMap(node)) {
    const pair = node.items.find(item => isScalar(item.key) && item.key.value === key);
    return pair && isNode(pair.key) ? { node: pair.value, offset: pair.key.range?.[0] } : null;
  }
  const item = isSeq(node) && typeof key === 'number' ? node.items[key] : undefined;
  return isNode(item) ? { node: item, offset: item.range?.[0] } : null;
}

/** Looks for what the parser lets through; iterative, so that depth can't overflow the stack. */
function inspect(root: Node): { code: ErrorCode; offset: number } | null {
  const todo: { node: unknown; depth: number }[] = [{ node: root, depth: 1 }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { node, depth } = next;
    if (isPair(node)) todo.push({ node: node.key, depth }, { node: node.value, depth });
    if (!isNode(node)) continue;
    const offset = node.range?.[0] ?? 0;
    if (depth > DEEPEST) return { code: 'E_MANIFEST_DEPTH', offset };
    if (isAlias(node) || ('anchor' in node && node.anchor)) return { code: 'E_MANIFEST_ALIAS', offset };
    if (node.tag && !PLAIN_TAGS.has(node.tag)) return { code: 'E_MANIFEST_SYNTAX', offset };
    if (isMap(node)) {
      const keys = new Set<unknown>();
      for (const { key } of node.items) {
        const name = isScalar(key) ? key.value : undefined;
        const at = isNode(key) ? (key.range?.[0] ?? offset) : offset;
        if (typeof name !== 'string' || FORBIDDEN_KEYS.has(name))
          return { code: 'E_MANIFEST_SYNTAX', offset: at };
        if (keys.has(name)) return { code: 'E_MANIFEST_DUPLICATE_KEY', offset: at };
        keys.add(name);
      }
    }
    if ('items' in node)
      for (const item of node.items as unknown[]) todo.push({ node: item, depth: depth + 1 });
  }
  return null;
}

/** Upper bound of the nesting: deepest bracket or indentation. Cheap, before the recursive parser runs. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
  }
  const dashes = /^[ \t]*((?:- ){20,})/m.exec(text)?.[1]?.length ?? 0;
  return Math.max(deepest, dashes / 2);
}

const SENTENCES: Partial<Record<ErrorCode, [message: string, remedy: string]>> = {
  E_MANIFEST_EMPTY: ['is empty', 'Write the manifest, or remove the file.'],
  E_MANIFEST_TOO_LARGE: ['is larger than 64 KiB', 'Split it: a manifest holds one document, never data.'],
  E_MANIFEST_DEPTH: ['is nested too deeply', 'Write it flat: no manifest needs more than a few levels.'],
  E_MANIFEST_ENCODING: ['holds control characters', 'Save it as plain UTF-8 text.'],
  E_MANIFEST_MANY_DOCUMENTS: ['holds more than one document', 'Put each document into its own file.'],
  E_MANIFEST_ALIAS: [
    'uses an anchor or an alias',
    'Write the value out; manifests have no references inside.',
  ],
  E_MANIFEST_DUPLICATE_KEY: ['says the same key twice', 'Keep one of the two.'],
  E_MANIFEST_SYNTAX: [
    'uses a tag or a key that manifests may not use',
    'Use plain YAML with ordinary string keys.',
  ],
};

function flaw(code: ErrorCode, line?: number): Flaw {
  const [message, remedy] = SENTENCES[code] ?? ['is not a manifest', 'See docs/reference.'];
  return { code, message, remedy, ...(line === undefined ? {} : { line }) };
}
