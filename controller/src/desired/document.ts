import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { type Flaw, flaw } from './flaw.ts';
import { inspect } from './inspect.ts';
import { refuseUnparsed } from './refuse-unparsed.ts';

/** Of the parser's own, which quote what they stumbled over whole. */
const LONGEST_WORDS = 200;

/** A parsed document that can say on which line a field stands. */
export interface Document {
  value: unknown;
  /** 1-based line of the innermost part of `path` that exists. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
  /** A scalar as it is written, such as `1.10` for the number 1.1; undefined: there is none. */
  writtenAt(path: readonly PropertyKey[]): string | undefined;
}

/**
 * Parses one manifest. Hostile until proven otherwise: no aliases, no tags, no duplicate or dangerous keys.
 *
 * @param parse never sees what can be refused by the text alone
 */
export function parseDocument(
  text: string,
  parse: typeof parseAllDocuments = parseAllDocuments,
): { document: Document } | { flaw: Flaw } {
  const refused = refuseUnparsed(text);
  if (refused) return { flaw: refused };
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const documents = parsedBy(parse, text, lines);
  if (documents === null) return { flaw: flaw('E_MANIFEST_DEPTH') };
  const [parsed, second] = Array.isArray(documents) ? documents : [];
  if (second) return { flaw: flaw('E_MANIFEST_MANY_DOCUMENTS', { line: lineAt(second.range?.[0] ?? 0) }) };
  const error = parsed?.errors[0] ?? parsed?.warnings[0];
  if (error) return { flaw: syntaxFlaw(error, lineAt(error.pos[0])) };
  if (!parsed || parsed.contents === null || (isScalar(parsed.contents) && parsed.contents.value === null))
    return { flaw: flaw('E_MANIFEST_EMPTY') };
  const root: Node = parsed.contents;
  const found = inspect(root, text);
  if (found) return { flaw: { ...found.flaw, line: lineAt(found.offset) } };
  return {
    document: {
      value: parsed.toJS({ maxAliasCount: 0 }),
      lineOf: path => {
        const offset = reach(root, path).offset;
        return offset === undefined ? undefined : lineAt(offset);
      },
      writtenAt: path => {
        const { node, isWhole } = reach(root, path);
        return isWhole && isScalar(node) ? node.source : undefined;
      },
    },
  };
}

/** Null: nested so deeply that the parser ran out of stack; "a: a: a: …" does that in a line without a bracket. */
function parsedBy(
  parse: typeof parseAllDocuments,
  text: string,
  lineCounter: LineCounter,
): ReturnType<typeof parseAllDocuments> | null {
  try {
    return parse(text, { lineCounter, uniqueKeys: false, prettyErrors: false, version: '1.2' });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function syntaxFlaw(error: { code: string; message: string }, line: number): Flaw {
  if (error.code === 'RESOURCE_EXHAUSTION') return flaw('E_MANIFEST_DEPTH', { line });
  return flaw('E_MANIFEST_SYNTAX', {
    message: `is not valid YAML: ${error.message.slice(0, LONGEST_WORDS)}`,
    remedy:
      error.code === 'TAB_AS_INDENT' ? 'Indent this line by spaces, as YAML wants it.' : 'Mend this line.',
    line,
  });
}

/** As far along the path as there is something. */
function reach(
  root: Node,
  path: readonly PropertyKey[],
): { node: unknown; offset: number | undefined; isWhole: boolean } {
  let at: { node: unknown; offset: number | undefined } = { node: root, offset: root.range?.[0] };
  for (const key of path) {
    const next = memberOf(at.node, key);
    if (next === null) return { ...at, isWhole: false };
    at = { node: next.node, offset: next.offset ?? at.offset };
  }
  return { ...at, isWhole: true };
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
