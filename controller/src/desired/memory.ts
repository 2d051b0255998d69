/**
 * What earlier passes over the model repository found out, by name, each with the values that it was found from.
 * Whoever passes the same map again pays for what changed and no more; the results are the same either way.
 */
export type Memory = Map<string, Remembered>;

interface Remembered {
  inputs: readonly unknown[];
  value: unknown;
  /** What its computation remembered in turn; stays as it is while the value is good. */
  below: Memory | null;
  /** Of the pass that used it last. */
  pass: object;
}

/** The memory during one pass. */
export class Recall {
  readonly #memory: Memory;
  readonly #pass = {};

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** The value of a pure computation: the earlier one while its inputs are the same values, by identity. */
  part<Value>(name: string, inputs: readonly unknown[], compute: (below: () => Recall) => Value): Value {
    const known = this.#memory.get(name);
    if (known && isSameList(known.inputs, inputs)) {
      known.pass = this.#pass;
      return known.value as Value;
    }
    let memory = known?.below ?? null;
    let recall: Recall | null = null;
    const value = compute(() => {
      memory ??= new Map();
      recall ??= new Recall(memory);
      return recall;
    });
    (recall as Recall | null)?.forgetRest();
    this.#memory.set(name, { inputs, value, below: memory, pass: this.#pass });
    return value;
  }

  /** The earlier value where the fresh one says the same, so that identity tells later stages what changed. */
  settled<Value>(name: string, fresh: Value, isSame: (before: Value, fresh: Value) => boolean): Value {
    const known = this.#memory.get(name);
    const value = known && isSame(known.value as Value, fresh) ? (known.value as Value) : fresh;
    this.#memory.set(name, { inputs: [], value, below: null, pass: this.#pass });
    return value;
  }

  /** Forgets what this pass had no use for, so that a long life holds no more than the newest tree needs. */
  forgetRest(): void {
    for (const [name, { pass }] of this.#memory) if (pass !== this.#pass) this.#memory.delete(name);
  }
}

export function isSameList(before: readonly unknown[], fresh: readonly unknown[]): boolean {
  if (before.length !== fresh.length) return false;
  for (let index = 0; index < fresh.length; index++) if (before[index] !== fresh[index]) return false;
  return true;
}

/** Equal keys with identical values; both in an order that follows from the keys. */
export function isSameMap<Key, Value>(
  before: ReadonlyMap<Key, Value>,
  fresh: ReadonlyMap<Key, Value>,
): boolean {
  if (before.size !== fresh.size) return false;
  for (const [key, value] of fresh) if (before.get(key) !== value) return false;
  return true;
}
