/** Where an item stands between the older and the newer ones. */
export interface Place<T> {
  /** Undefined only at the end that closes the ring. */
  readonly item: T | undefined;
  older: Place<T>;
  newer: Place<T>;
}

/** Items in the order of their last use, in a ring, so that every step takes the same time. */
export class Recency<T> {
  /** Before the oldest and after the newest. */
  readonly #end: Place<T>;

  constructor() {
    const end = { item: undefined } as Place<T>;
    end.older = end;
    end.newer = end;
    this.#end = end;
  }

  /** Undefined: there is none. */
  get oldest(): T | undefined {
    return this.#end.newer.item;
  }

  add(item: T): Place<T> {
    const place: Place<T> = { item, older: this.#end.older, newer: this.#end };
    place.older.newer = place;
    this.#end.older = place;
    return place;
  }

  /** It was used just now. */
  touch(place: Place<T>): void {
    if (place.newer === this.#end) return;
    this.remove(place);
    place.older = this.#end.older;
    place.newer = this.#end;
    place.older.newer = place;
    this.#end.older = place;
  }

  remove(place: Place<T>): void {
    place.older.newer = place.newer;
    place.newer.older = place.older;
  }
}
