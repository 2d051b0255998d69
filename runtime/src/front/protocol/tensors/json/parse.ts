import { isAscii, isUtf8 } from 'node:buffer';

/** Of lists and objects; what means anything has four levels and one for each dimension. */
const DEEPEST = 64;

/** What was no JSON that we read, as a clause: `it is empty`. */
export class NoJson {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** The text of a JSON body that may be parsed: UTF-8, and nested no deeper than anything sensible is. */
export function jsonText(body: Buffer): string | NoJson {
  if (body.length === 0) return new NoJson('it is empty');
  const isPlain = isAscii(body);
  if (!isPlain && !isUtf8(body)) return new NoJson('it is not UTF-8');
  if (isDeeperThan(body, DEEPEST)) return new NoJson(`it is nested more than ${DEEPEST} levels deep`);
  return body.toString(isPlain ? 'latin1' : 'utf8');
}

/** Of a key that stands twice, the last value counts. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return new NoJson(`it is not JSON${missingValue(text)}`);
  }
}

const NOT_NUMBERS = ['NaN', 'Infinity', '-Infinity'];

/** Python writes a missing value, or an infinite one, as what only looks like JSON. One pass, outside of strings. */
function missingValue(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const first = text[at]!;
    if (first === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
      continue;
    }
    if (first !== 'N' && first !== 'I' && first !== '-') continue;
    const word = NOT_NUMBERS.find(one => text.startsWith(one, at));
    if (word !== undefined)
      return `: it has ${word} at character ${at}, and values that are missing or infinite are not taken`;
  }
  return '';
}

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

/** The same, but integers that a double does not hold come as bigints. Many times slower. Only for what is JSON. */
export function parseExactly(text: string): unknown {
  const revive: Reviver = (_, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && isWhole(source)
      ? BigInt(source)
      : value;
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

/** Of a JSON number: no fraction and no exponent. */
function isWhole(source: string): boolean {
  for (let at = 1; at < source.length; at++) if (source[at]! < '0' || source[at]! > '9') return false;
  return true;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function isDeeperThan(body: Buffer, deepest: number): boolean {
  let depth = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) {
      at = closingQuote(body, at + 1);
    } else if (byte === 0x5b || byte === 0x7b) {
      depth++;
      if (depth > deepest) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}

function closingQuote(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}
