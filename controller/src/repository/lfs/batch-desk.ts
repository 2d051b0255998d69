import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LfsObject } from '../repository.ts';
import { type Actions, type BatchAnswer, MOST_OBJECTS } from './batch.ts';
import { pool } from './pool.ts';
import { sharedWork } from './shared-work.ts';

/** Asks about one object, together with all others that are asked about in the same turn. */
export type BatchDesk = (object: LfsObject, signal: AbortSignal) => Promise<Actions>;

interface Sheet {
  number: number;
  objects: LfsObject[];
  isSent: boolean;
}

const AT_ONCE = 2;

export function batchDesk(
  ask: (objects: readonly LfsObject[], signal: AbortSignal) => Promise<BatchAnswer>,
): BatchDesk {
  const shared = sharedWork<BatchAnswer>('The LFS client is closed.');
  const requests = pool(AT_ONCE);
  let sheet: Sheet = { number: 0, objects: [], isSent: false };

  return async (object, signal) => {
    if (sheet.isSent || sheet.objects.length >= MOST_OBJECTS)
      sheet = { number: sheet.number + 1, objects: [], isSent: false };
    const mine = sheet;
    mine.objects.push(object);
    const send = async (until: AbortSignal): Promise<BatchAnswer> => {
      await nextTurn();
      mine.isSent = true;
      return requests.run(() => ask(mine.objects, until), until);
    };
    const answer = await shared.run(String(mine.number), send, signal);
    return answer(object);
  };
}
