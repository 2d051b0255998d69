/** What a change leaves of a key that it takes away. */
const GONE = Symbol('gone');
/** Changes that are kept beside a large map before the two are put together: enough that this is rare. */
const KEPT_BESIDE = 512;

/**
 * The map with some values changed, `null` taking a key away. The given one stays as it was, and large ones share
 * what is equal, so that the work is proportional to the change. Order is none: a changed key may stand last.
 */
export function grown<Key, Value>(
  before: ReadonlyMap<Key, Value>,
  changes: ReadonlyMap<Key, Value | null>,
): ReadonlyMap<Key, Value> {
  if (changes.size === 0) return before;
  if (before instanceof GrownMap) return (before as GrownMap<Key, Value>).with(changes);
  if (before.size <= KEPT_BESIDE) return together(before, changes);
  return new GrownMap<Key, Value>(before, new Map(), before.size).with(changes);
}

function together<Key, Value>(
  before: ReadonlyMap<Key, Value>,
  changes: ReadonlyMap<Key, Value | null>,
): ReadonlyMap<Key, Value> {
  const whole = new Map<Key, Value>(before);
  for (const [key, value] of changes)
    if (value === null) whole.delete(key);
    else whole.set(key, value);
  return whole;
}

/** A large map that nobody changes any more, and beside it a small one of what is different. */
class GrownMap<Key, Value> implements ReadonlyMap<Key, Value> {
  readonly [Symbol.toStringTag] = 'Map';
  readonly size: number;
  readonly #base: ReadonlyMap<Key, Value>;
  readonly #beside: ReadonlyMap<Key, Value | typeof GONE>;

  constructor(base: ReadonlyMap<Key, Value>, beside: ReadonlyMap<Key, Value | typeof GONE>, size: number) {
    this.#base = base;
    this.#beside = beside;
    this.size = size;
  }

  with(changes: ReadonlyMap<Key, Value | null>): ReadonlyMap<Key, Value> {
    if (this.#beside.size + changes.size > KEPT_BESIDE) return together(this, changes);
    const beside = new Map(this.#beside);
    let { size } = this;
    for (const [key, value] of changes) {
      size += (value === null ? 0 : 1) - (this.has(key) ? 1 : 0);
      if (value !== null) beside.set(key, value);
      else if (this.#base.has(key)) beside.set(key, GONE);
      else beside.delete(key);
    }
    return new GrownMap(this.#base, beside, size);
  }

  get(key: Key): Value | undefined {
    const value = this.#beside.get(key);
    if (value === GONE) return undefined;
    return value === undefined ? this.#base.get(key) : value;
  }

  has(key: Key): boolean {
    return this.#beside.has(key) ? this.#beside.get(key) !== GONE : this.#base.has(key);
  }

  *entries(): Generator<[Key, Value], undefined> {
    for (const entry of this.#base) if (!this.#beside.has(entry[0])) yield entry;
    for (const [key, value] of this.#beside) if (value !== GONE) yield [key, value];
  }

  *keys(): Generator<Key, undefined> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Generator<Value, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[Key, Value], undefined> {
    return this.entries();
  }

  forEach(act: (value: Value, key: Key, map: ReadonlyMap<Key, Value>) => void): void {
    for (const [key, value] of this) act(value, key, this);
  }
}
