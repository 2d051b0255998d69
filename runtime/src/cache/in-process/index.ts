import type { Clock } from '../../clock.ts';
import type { NearStore } from '../store.ts';
import type { Entry } from './entry.ts';
import { Recency } from './recency.ts';
import { type Room, ShelfInProcess } from './shelf.ts';

/** Answers in the memory of this process; all revisions together take `budgetBytes` at most. */
export function inProcessReplies(options: { clock: Clock; budgetBytes: number }): NearStore {
  const room: Room = { ...options, recency: new Recency<Entry>(), bytes: 0, entries: 0 };
  return {
    shelf: (_, policy, counts) => new ShelfInProcess(room, policy, counts),
    describe: () => ({ bytes: room.bytes, budgetBytes: room.budgetBytes, entries: room.entries }),
    [Symbol.asyncDispose]: async () => {},
  };
}
