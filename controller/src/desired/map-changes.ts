/**
 * Tells what is different in a map since the last one. Newer maps are copies with a few changes, and copies keep their
 * order, so both are walked side by side; only where they part is anything looked up.
 */
export class MapChanges<Value> {
  #keys: string[] = [];
  #values: Value[] = [];
  #last: ReadonlyMap<string, Value> = new Map();

  /** Keys whose values are new, others, or gone; by identity. */
  since(map: ReadonlyMap<string, Value>): string[] {
    if (map === this.#last) return [];
    const changed: string[] = [];
    const keys: string[] = [];
    const values: Value[] = [];
    let at = 0;
    for (const [key, value] of map) {
      for (
        let old = this.#keys[at];
        old !== undefined && old !== key && !map.has(old);
        old = this.#keys[++at]
      )
        changed.push(old);
      if (this.#keys[at] === key) {
        if (this.#values[at++] !== value) changed.push(key);
      } else if (!this.#last.has(key) || this.#last.get(key) !== value) changed.push(key);
      keys.push(key);
      values.push(value);
    }
    for (let old = this.#keys[at]; old !== undefined; old = this.#keys[++at])
      if (!map.has(old)) changed.push(old);
    this.#keys = keys;
    this.#values = values;
    this.#last = map;
    return changed;
  }
}
