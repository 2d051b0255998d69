/** What a heap holds; the heap alone writes it. */
export interface Slotted {
  /** Where in the heap it is, so that it can be taken out from anywhere. */
  slot: number;
}

/** A binary heap: the first is at hand, everything else costs the logarithm of how many there are. */
export class Heap<Item extends Slotted> {
  readonly #isBefore: (a: Item, b: Item) => boolean;
  readonly #items: Item[] = [];

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    this.#rise(item, this.#items.length);
  }

  /** Of an item that is in it. */
  remove(item: Item): void {
    const last = this.#items.pop()!;
    if (last !== item) this.#place(last, item.slot);
  }

  /** To be told when the place of an item that is in it may have changed. */
  moved(item: Item): void {
    this.#place(item, item.slot);
  }

  #place(item: Item, slot: number): void {
    const parent = this.#items[(slot - 1) >> 1];
    if (slot > 0 && this.#isBefore(item, parent!)) this.#rise(item, slot);
    else this.#sink(item, slot);
  }

  #rise(item: Item, from: number): void {
    let slot = from;
    while (slot > 0) {
      const parent = this.#items[(slot - 1) >> 1]!;
      if (!this.#isBefore(item, parent)) break;
      this.#put(parent, slot);
      slot = (slot - 1) >> 1;
    }
    this.#put(item, slot);
  }

  #sink(item: Item, from: number): void {
    let slot = from;
    for (;;) {
      const left = this.#items[2 * slot + 1];
      if (left === undefined) break;
      const right = this.#items[2 * slot + 2];
      const child = right !== undefined && this.#isBefore(right, left) ? right : left;
      if (!this.#isBefore(child, item)) break;
      const next = child.slot;
      this.#put(child, slot);
      slot = next;
    }
    this.#put(item, slot);
  }

  #put(item: Item, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
  }
}
