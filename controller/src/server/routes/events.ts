import { Event } from '@switchback-ml/schemas';
import { z } from 'zod';
import type { EventQuery } from '../../ledger/ledger.ts';
import { type Endpoint, endpoint } from '../route.ts';
import { aborted, within } from '../within.ts';
import type { ServerWorld } from '../world.ts';

const Query = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  /** Seconds to wait for something new. */
  wait: z.coerce.number().min(0).max(30).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  subject: z
    .string()
    .regex(/^[a-z0-9][-/a-z0-9]{0,126}$/, 'must be such as "prod/screening", "prod" or "controller"')
    .optional(),
});

/** Answers at once when there is something, else when something comes, else empty at the end. */
export function events(world: ServerWorld): Endpoint {
  return endpoint({
    summary: 'Events after a number, oldest first; waits for the next one when there is none',
    query: Query,
    answers: { found: z.object({ items: z.array(Event), last: z.int() }) },
    handle: async ({ query: { after, wait, limit, subject }, signal }) => {
      const wanted = { after, limit, ...(subject === undefined ? {} : { subject }) };
      const items = await within(world.clock, wait * 1000, signal, over =>
        eventsOnceThere(world, wanted, wait > 0 ? over : null),
      );
      return { kind: 'found', body: { items, last: items.at(-1)?.seq ?? after } };
    },
  });
}

/** @param patience null: look once */
async function eventsOnceThere(
  { ledger, onEvents }: ServerWorld,
  query: EventQuery,
  patience: AbortSignal | null,
): Promise<Event[]> {
  let news = Promise.withResolvers<void>();
  const stopListening = onEvents(() => news.resolve());
  try {
    const end = patience === null ? Promise.resolve() : aborted(patience);
    while (true) {
      // Listening began before the look, so nothing that comes in between is missed.
      news = Promise.withResolvers<void>();
      const items = await ledger.events(query);
      if (items.length > 0 || patience === null || patience.aborted) return items;
      await Promise.race([news.promise, end]);
    }
  } finally {
    stopListening();
  }
}
