import { Event } from '@switchback-ml/schemas';
import { z } from 'zod';
import { type Management, openManagement } from './controller/management.ts';

const PAGE = 500;
const WAIT_SECONDS = 25;
/** The controller answers a long poll at the end of its wait; this much later it is taken for gone. */
const ANSWER_MARGIN_MS = 10_000;

export interface EventsOptions {
  state: string;
  /** Go on with those that come, until the signal. */
  follow: boolean;
  subject?: string | undefined;
  after?: number | undefined;
  signal: AbortSignal;
}

const Page = z.object({ items: z.array(Event), last: z.number() });

/** The event log, oldest first. With `follow` it ends only by the signal. */
export async function* events(options: EventsOptions): AsyncGenerator<Event, void> {
  const management = openManagement(options.state);
  let after = options.after ?? 0;
  while (!options.signal.aborted) {
    const page = await readPage(management, after, options);
    if (page === null) return;
    yield* page.items;
    after = Math.max(after, page.items.at(-1)?.seq ?? 0);
    if (!options.follow && page.items.length < PAGE) return;
  }
}

/** Null once the signal has aborted. */
async function readPage(
  management: Management,
  after: number,
  { follow, subject, signal }: EventsOptions,
): Promise<z.infer<typeof Page> | null> {
  const query = new URLSearchParams({ after: String(after), limit: String(PAGE) });
  if (follow) query.set('wait', String(WAIT_SECONDS));
  if (subject) query.set('subject', subject);
  try {
    const timeoutMs = WAIT_SECONDS * 1000 + ANSWER_MARGIN_MS;
    return await management.get(`/events?${query}`, Page, { signal, timeoutMs });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}
