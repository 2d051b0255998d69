import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { temporaryFolder } from '../../remote/world.fixture.ts';
import type { LfsObject } from '../repository.ts';
import type { ResumableSource } from './resumable-source.ts';
import { type ArtifactStore, type ArtifactStoreSettings, artifactStore } from './store.ts';

export interface HeldClock extends Clock {
  /** Milliseconds that were slept through at once, one after the other. */
  slept: number[];
  advance(ms: number): void;
}

const START = Date.parse('2026-01-01T00:00:00Z');
/** What is shorter is a pace, and over as soon as it is asked for; what is longer waits for `advance`. */
const PACE_MS = 60_000;

export function heldClock(): HeldClock {
  const sleepers = new Set<{ until: number; wake: () => void }>();
  const slept: number[] = [];
  let now = START;
  return {
    slept,
    now: () => now,
    sleep: async (ms, signal) => {
      if (signal?.aborted) return;
      if (ms < PACE_MS) {
        slept.push(ms);
        now += ms;
        return nextTurn();
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      const sleeper = { until: now + ms, wake };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
      await promise;
      sleepers.delete(sleeper);
      signal?.removeEventListener('abort', wake);
    },
    advance: ms => {
      now += ms;
      for (const { until, wake } of sleepers) if (until <= now) wake();
    },
  };
}

export interface StoreWorld extends AsyncDisposable {
  directory: string;
  store: ArtifactStore;
  clock: HeldClock;
  /** Log lines by level; `warn` and `error`. */
  warnings: string[];
  infos: string[];
  downloads: number;
  /** What the source answers with; by digest, or for all. */
  bytes: Buffer | Map<string, Buffer>;
  /** Closes the store and opens it again, as after a restart. */
  reopen(): Promise<void>;
  /** Names in a folder of the store. */
  names(folder: 'incoming' | 'quarantine' | 'objects'): Promise<string[]>;
}

/** An empty store over a source that answers from memory, five bytes at a time. */
export async function storeWorld(settings: Partial<ArtifactStoreSettings> = {}): Promise<StoreWorld> {
  const folder = await temporaryFolder();
  const directory = settings.directory ?? join(folder.path, 'artifacts');
  const clock = heldClock();
  const source: ResumableSource = {
    download: async ({ digest }: LfsObject, write, signal) => {
      it.downloads++;
      signal.throwIfAborted();
      const bytes = Buffer.isBuffer(it.bytes) ? it.bytes : it.bytes.get(digest);
      if (bytes === undefined) throw new Error('the source has it not');
      const step = bytes.length > 1000 ? 64 * 1024 : 5;
      for (let at = 0; at < bytes.length; at += step) await write(bytes.subarray(at, at + step));
    },
  };
  const to =
    (lines: string[]) =>
    (_: unknown, message?: unknown): void =>
      void lines.push(String(message));
  const open = (): Promise<ArtifactStore> =>
    artifactStore({
      directory,
      source,
      log: { info: to(it.infos), warn: to(it.warnings), error: to(it.warnings) },
      reserveBytes: 0,
      clock,
      ...settings,
    });
  const it: Omit<StoreWorld, 'store'> & { store: ArtifactStore | null } = {
    directory,
    clock,
    warnings: [],
    infos: [],
    downloads: 0,
    bytes: new Map(),
    store: null,
    reopen: async () => {
      await it.store?.[Symbol.asyncDispose]();
      it.store = await open();
    },
    names: async name => {
      const found = await readdir(join(directory, name), { recursive: true, withFileTypes: true }).catch(
        () => [],
      );
      return found.filter(entry => !entry.isDirectory()).map(entry => entry.name);
    },
    [Symbol.asyncDispose]: async () => {
      await it.store?.[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
  it.store = await open();
  return it as StoreWorld;
}

/** Looks again until it is so, within the test's own bound. */
export async function until(look: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await look())) await nextTurn();
}
