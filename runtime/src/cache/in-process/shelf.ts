import type { CachePolicy } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import type { CachedReply } from '../cache.ts';
import { ABSENT, type Absent, type NearShelf, type ShelfCounts } from '../store.ts';
import { Entry, type Holder, sizeOf } from './entry.ts';
import { Recency } from './recency.ts';

/** No single entry may take more of its budget. */
const LARGEST_SHARE = 1 / 8;

/** What all shelves have together. */
export interface Room {
  readonly clock: Clock;
  readonly budgetBytes: number;
  readonly recency: Recency<Entry>;
  bytes: number;
  entries: number;
}

/** The answers of one revision: as many as its own budget and the room's allow, the least lately used leave first. */
export class ShelfInProcess implements NearShelf, Holder {
  readonly #room: Room;
  readonly #budgetBytes: number;
  readonly #counts: ShelfCounts;
  readonly #entries = new Map<string, Entry>();
  readonly #recency = new Recency<Entry>();
  #bytes = 0;
  #isClosed = false;

  constructor(room: Room, policy: CachePolicy, counts: ShelfCounts) {
    this.#room = room;
    this.#counts = counts;
    this.#budgetBytes = Math.min(policy.bytes, room.budgetBytes);
  }

  find(name: string): Entry | Absent {
    const entry = this.#entries.get(name);
    if (entry === undefined) return ABSENT;
    if (entry.until <= this.#room.clock.elapsed()) {
      this.#counts.expired++;
      this.#remove(entry);
      return ABSENT;
    }
    this.#recency.touch(entry.inShelf!);
    this.#room.recency.touch(entry.inRoom!);
    return entry;
  }

  keep(name: string, reply: CachedReply, until: number): void {
    const now = this.#room.clock.elapsed();
    if (this.#isClosed || until <= now) return;
    const sizeBytes = sizeOf(name, reply);
    if (sizeBytes > this.#budgetBytes * LARGEST_SHARE) {
      this.#counts.tooLarge++;
      return;
    }
    const earlier = this.#entries.get(name);
    if (earlier !== undefined) this.#remove(earlier);
    this.#forgetUnused(now);
    while (this.#bytes + sizeBytes > this.#budgetBytes) this.evict(this.#recency.oldest!, now);
    const { recency, budgetBytes } = this.#room;
    while (this.#room.bytes + sizeBytes > budgetBytes) recency.oldest!.shelf.evict(recency.oldest!, now);
    this.#add(new Entry(this, name, reply, until));
  }

  evict(entry: Entry, now: number): void {
    if (entry.until <= now) this.#counts.expired++;
    else this.#counts.evicted++;
    this.#remove(entry);
  }

  close(): void {
    this.#isClosed = true;
    for (const entry of [...this.#entries.values()]) this.#remove(entry);
  }

  describe(): { bytes: number; entries: number } {
    this.#forgetUnused(this.#room.clock.elapsed());
    return { bytes: this.#bytes, entries: this.#entries.size };
  }

  /** What nobody used for as long as it was good has gathered at the old end. */
  #forgetUnused(now: number): void {
    let oldest = this.#recency.oldest;
    while (oldest !== undefined && oldest.until <= now) {
      this.#counts.expired++;
      this.#remove(oldest);
      oldest = this.#recency.oldest;
    }
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.name, entry);
    entry.inShelf = this.#recency.add(entry);
    entry.inRoom = this.#room.recency.add(entry);
    this.#bytes += entry.sizeBytes;
    this.#room.bytes += entry.sizeBytes;
    this.#room.entries++;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.name);
    this.#recency.remove(entry.inShelf!);
    this.#room.recency.remove(entry.inRoom!);
    this.#bytes -= entry.sizeBytes;
    this.#room.bytes -= entry.sizeBytes;
    this.#room.entries--;
  }
}
