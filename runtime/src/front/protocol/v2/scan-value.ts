import { CLOSE_OBJECT, COLON, COMMA, type JsonScanner, OPEN_OBJECT } from '../tensors/json/scanner.ts';

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

export function words(...names: string[]): readonly Uint8Array[] {
  return names.map(name => Buffer.from(name));
}

/**
 * Over an object whose keys are some of these, each at most once and at least one: `member` goes over the value of
 * the key with that index, and tells `target`. False: it is another object.
 */
export function scanObject<Scanner extends JsonScanner, Target>(
  json: Scanner,
  keys: readonly Uint8Array[],
  member: (json: Scanner, key: number, target: Target) => boolean,
  target: Target,
): boolean {
  if (!json.take(OPEN_OBJECT)) return false;
  let seen = 0;
  do {
    const key = json.word(keys);
    if (key === -1 || (seen & (1 << key)) !== 0 || !json.take(COLON)) return false;
    seen |= 1 << key;
    if (!member(json, key, target)) return false;
  } while (json.take(COMMA));
  return json.take(CLOSE_OBJECT);
}

/** Null: it is no boolean. */
export function scanFlag(json: JsonScanner): boolean | null {
  json.peek();
  if (json.literal(TRUE)) return true;
  return json.literal(FALSE) ? false : null;
}

/** Null: it is no whole number, or below 0. */
export function scanWhole(json: JsonScanner): number | null {
  const value = json.number();
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}
