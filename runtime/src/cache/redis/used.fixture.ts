import { expect } from 'vitest';
import type { SteppedClock } from '../../clock.fixture.ts';
import { type Clock, systemClock } from '../../clock.ts';
import { type Log, silentLog } from '../../log.ts';
import { eventually } from '../../serving.fixture.ts';
import type { ReplyCache } from '../cache.ts';
import { inProcessReplies } from '../in-process/index.ts';
import { aReply, LABEL, noShelfCounts } from '../reply.fixture.ts';
import type { FarStore, Shelf } from '../store.ts';
import { replyCache } from '../two-level.ts';
import { type EntryName, entrySeal, printLabel } from './entry.ts';
import { redisReplies } from './index.ts';

export const SECRET = 'a secret of the tests';
export const POLICY = { forMs: 60_000, bytes: 2 ** 20 };
/** Far more than the usual bound, so that a busy machine fails no lookup where the bound is not the matter. */
const PATIENT_MS = 2000;
export const MOST_ENTRY_BYTES = 10_000;

export interface Used extends AsyncDisposable {
  store: FarStore;
  shelf: Shelf;
  written(): Promise<void>;
}

export function use(
  url: string,
  clock: Clock = systemClock,
  withinMs = PATIENT_MS,
  log: Log = silentLog,
): Used {
  const store = redisReplies({
    url,
    secret: SECRET,
    clock,
    random: () => 0.5,
    log,
    withinMs,
    mostEntryBytes: MOST_ENTRY_BYTES,
  });
  return {
    store,
    shelf: store.shelf(LABEL, POLICY, noShelfCounts()),
    written: async () =>
      void (await eventually(() => store.describe().writes === 0, 'everything being written')),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** Resolves when it is asked, as it is once a probe has found it well. */
export async function isUsed({ store, shelf }: Used): Promise<void> {
  await eventually(async () => (await shelf.find('anything')).kind !== 'failed', 'Redis being used');
  expect(store.describe().reading).toBe('closed');
}

/** A minute from now. */
export const until = (clock: Clock = systemClock): number => clock.elapsed() + 60_000;

export interface UsedCache extends AsyncDisposable {
  cache: ReplyCache;
  /**
   * Answers with the text itself, which takes 50 ms of the clock to make. The clock stands still while Redis is asked:
   * else a busy machine would take the time of making an answer for that of a round trip.
   */
  ask(text: string): Promise<{ text: string; from: string } | null>;
}

export function cacheOf(url: string, clock: SteppedClock, log: Log = silentLog): UsedCache {
  const far = redisReplies({ url, secret: SECRET, clock, random: () => 0.5, log, withinMs: 50 });
  const underWay = new Set<unknown>();
  const watched: FarStore = {
    describe: () => far.describe(),
    shelf: (...args) => {
      const shelf = far.shelf(...args);
      const find: Shelf['find'] = name => {
        const found = shelf.find(name);
        if (!(found instanceof Promise)) return found;
        const lookup = found.finally(() => underWay.delete(lookup));
        underWay.add(lookup);
        return lookup;
      };
      return { find, keep: (...entry) => shelf.keep(...entry) };
    },
    [Symbol.asyncDispose]: () => far[Symbol.asyncDispose](),
  };
  const near = inProcessReplies({ clock, budgetBytes: 2 ** 22 });
  const cache = replyCache({ clock, near, far: watched });
  return {
    cache,
    async ask(text) {
      const key = { ...LABEL, encoding: 'v2', body: Buffer.from(text) };
      const found = await cache.through(key, POLICY, async () => {
        await Promise.all(underWay);
        await clock.advance(50);
        return aReply(text);
      });
      return found && { text: found.reply.body.toString(), from: found.from };
    },
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

/** Resolves once it is known that Redis is there, and that asking it pays. */
export async function isAsked({ cache, ask }: UsedCache): Promise<void> {
  let asked = 0;
  await eventually(async () => {
    await ask(`a request before ${asked++}`);
    return cache.describe().models[0]!.revisions[0]!.far!.isAsked;
  }, 'Redis being asked');
}

/** What is logged, as `level: message`. */
export function recordedLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const record =
    (level: string) =>
    (_: unknown, message?: string): void =>
      void lines.push(`${level}: ${message}`);
  const log = { debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') };
  return { log: log as Log, lines };
}

export function placeOf(name: string): EntryName {
  return entrySeal(SECRET).nameOf(printLabel(LABEL), name);
}
