import type { Instant } from '@switchback-ml/schemas';
import type { WatchedEngine } from '../engine/watched.ts';

/** `coming`: another engine is on its way. A number: there is none before then. */
type Seat = WatchedEngine | 'coming' | Instant;

/** Which engines a revision has, and what is to be expected of the seats that have none. */
export class Seats {
  readonly #seats = new Map<number, Seat>();

  /** Those that answer. */
  get engines(): WatchedEngine[] {
    const seats = [...this.#seats].toSorted(([a], [b]) => a - b);
    return seats.flatMap(([, seat]) => (typeof seat === 'object' ? [seat] : []));
  }

  /** When the first is tried again, where all that were tried rest; else null. */
  get restsUntil(): Instant | null {
    const seats = [...this.#seats.values()];
    const rests = seats.filter(seat => typeof seat === 'number');
    return rests.length > 0 && rests.length === seats.length ? Math.min(...rests) : null;
  }

  up(seat: number, engine: WatchedEngine): void {
    this.#seats.set(seat, engine);
  }

  lost(seat: number): void {
    this.#seats.set(seat, 'coming');
  }

  /** Null: no rest. */
  down(seat: number, retryAt: Instant | null): void {
    this.#seats.set(seat, retryAt ?? 'coming');
  }
}
