import { Heap, type Slotted } from './heap.ts';

/**
 * Every so-manieth batch is led by whoever came first, whatever is more urgent: so what waits behind n older ones is
 * in one of the next 8 * (n + 1) batches, however many more urgent ones keep coming.
 */
export const OLDEST_LEADS_EVERY = 8;
/** How many that don't fit are looked past for one that does. */
const MOST_PASSED = 8;
/** Empty lanes kept for the next of their shape. */
const MOST_LANES = 64;
/** Classes whose waiting rows are counted apart; those after them count as one. */
const CLASSES = 16;

/** What the queue needs to know of a request, and, from `turn` on, what it alone writes. */
export class Waiting implements Slotted {
  /** Requests of one lane may share a batch; null: with nobody. */
  laneKey: string | null;
  readonly rows: number;
  /** Classes of urgency, 1 first; `Infinity` last. */
  readonly rank: number;
  /** Within a class: the earlier, the sooner. In ms, as `deadline`. */
  readonly due: number;
  /** After it nobody wants it. */
  readonly deadline: number;
  turn = 0;
  slot = -1;
  lane: Lane | null = null;
  older: Waiting | null = null;
  newer: Waiting | null = null;

  constructor(laneKey: string | null, rows: number, rank: number, due: number, deadline: number) {
    this.laneKey = laneKey;
    this.rows = rows;
    this.rank = rank;
    this.due = due;
    this.deadline = deadline;
  }
}

interface Lane extends Slotted {
  key: string | null;
  waiting: Heap<Waiting>;
}

/**
 * Who goes next, and with whom. By class, then by due time, then by arrival; a batch holds one lane only. Everything
 * costs the logarithm of what waits, and no more.
 */
export class Queue<Item extends Waiting> {
  readonly #lanes = new Map<string | null, Lane>();
  /** Those in which something waits, by their first. */
  readonly #busy = new Heap<Lane>((a, b) => isBefore(a.waiting.first!, b.waiting.first!));
  readonly #rowsOfClass = new Float64Array(CLASSES);
  #oldest: Waiting | null = null;
  #newest: Waiting | null = null;
  #size = 0;
  #rows = 0;
  #soonest = Number.POSITIVE_INFINITY;
  #turns = 0;
  #batches = 0;

  /** Requests. */
  get size(): number {
    return this.#size;
  }

  get rows(): number {
    return this.#rows;
  }

  /** No deadline is before it; `Infinity` when nothing waits. */
  get soonest(): number {
    return this.#soonest;
  }

  /** Rows that go before a newcomer of this class, those of its own class included. */
  rowsBefore(rank: number): number {
    if (rank >= CLASSES) return this.#rows;
    let rows = 0;
    for (let index = 0; index <= rank; index++) rows += this.#rowsOfClass[index]!;
    return rows;
  }

  /** One that was taken out may come again: it keeps its turn. */
  add(item: Item): void {
    if (item.turn === 0) item.turn = ++this.#turns;
    const lane = this.#laneOf(item.laneKey);
    const wasEmpty = lane.waiting.size === 0;
    item.lane = lane;
    lane.waiting.push(item);
    if (wasEmpty) this.#busy.push(lane);
    else if (lane.waiting.first === item) this.#busy.moved(lane);
    this.#link(item);
  }

  /**
   * Takes out the next batch of at most `mostRows`: a leader, and who fits with it. A leader with more rows than that
   * goes alone. What is met on the way and is not wanted any more is taken out as well, into `dropped`.
   */
  nextBatch(mostRows: number, isWanted: (item: Item) => boolean): { batch: Item[]; dropped: Item[] } {
    const batch: Item[] = [];
    const dropped: Item[] = [];
    if (this.#size > 0) this.#batches++;
    const isOldestsTurn = this.#batches % OLDEST_LEADS_EVERY === 0;
    while (this.#size > 0 && batch.length === 0) {
      const leader = (isOldestsTurn ? this.#oldest : this.#busy.first?.waiting.first) as Item;
      const lane = leader.lane!;
      lane.waiting.remove(leader);
      this.#unlink(leader);
      (isWanted(leader) ? batch : dropped).push(leader);
      if (batch.length > 0 && leader.laneKey !== null)
        this.#addFollowers(lane, mostRows - leader.rows, isWanted, batch, dropped);
      this.#settle(lane);
    }
    return { batch, dropped };
  }

  /** Takes out all that is not wanted any more. */
  sweep(isWanted: (item: Item) => boolean): Item[] {
    const dropped: Item[] = [];
    let soonest = Number.POSITIVE_INFINITY;
    for (let item = this.#oldest as Item | null; item !== null; ) {
      const { newer } = item;
      if (isWanted(item)) soonest = Math.min(soonest, item.deadline);
      else {
        item.lane!.waiting.remove(item);
        this.#settle(item.lane!);
        this.#unlink(item);
        dropped.push(item);
      }
      item = newer as Item | null;
    }
    this.#soonest = soonest;
    return dropped;
  }

  #addFollowers(
    lane: Lane,
    mostRows: number,
    isWanted: (item: Item) => boolean,
    batch: Item[],
    dropped: Item[],
  ): void {
    const { waiting } = lane;
    let room = mostRows;
    let passed: Item[] | null = null;
    for (let item = waiting.first; room > 0 && item !== undefined; item = waiting.first) {
      waiting.remove(item);
      if (!isWanted(item as Item)) {
        this.#unlink(item);
        dropped.push(item as Item);
      } else if (item.rows <= room) {
        this.#unlink(item);
        batch.push(item as Item);
        room -= item.rows;
      } else {
        passed ??= [];
        passed.push(item as Item);
        if (passed.length > MOST_PASSED) break;
      }
    }
    if (passed !== null) for (const item of passed) waiting.push(item);
  }

  #laneOf(key: string | null): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, waiting: new Heap(isBefore), slot: -1 };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** After some were taken out of a lane in which something waited. */
  #settle(lane: Lane): void {
    if (lane.waiting.size > 0) return this.#busy.moved(lane);
    this.#busy.remove(lane);
    if (this.#lanes.size > MOST_LANES) this.#lanes.delete(lane.key);
  }

  #link(item: Item): void {
    item.older = this.#newest;
    item.newer = null;
    if (this.#newest === null) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
    this.#size++;
    this.#count(item, item.rows);
    if (item.deadline < this.#soonest) this.#soonest = item.deadline;
  }

  #unlink(item: Waiting): void {
    const { older, newer } = item;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    item.older = null;
    item.newer = null;
    item.lane = null;
    this.#size--;
    this.#count(item, -item.rows);
    if (this.#size === 0) this.#soonest = Number.POSITIVE_INFINITY;
  }

  #count({ rank }: Waiting, rows: number): void {
    this.#rows += rows;
    this.#rowsOfClass[rank < CLASSES ? rank : CLASSES - 1]! += rows;
  }
}

function isBefore(a: Waiting, b: Waiting): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.due !== b.due ? a.due < b.due : a.turn < b.turn;
}
