/** Parts of JSON that somebody else may have written. Each is of its kind, or a TypeError says that it is not. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsIn(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new TypeError('not an object');
}

export function listIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError('not a list');
}

export function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError('not a text');
}

/** Times, counts, weights and limits: all of ours are finite and none is negative. */
export function numberIn(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new TypeError('not a number');
}
