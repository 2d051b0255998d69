import type { Clock } from '../../clock.ts';
import { messageOf } from '../../error.ts';
import type { Git } from './run.ts';
import { looseObjects, packCount } from './sweep.ts';
import type { Writers } from './writers.ts';

const TIMEOUT_MS = 10 * 60_000;
/** A disk that is full, or packs that can't be read, are not mended by trying at once again. */
const PAUSE_AFTER_FAILURE_MS = 10 * 60_000;
const HALF_OBJECT_MS = 3_600_000;
/** Loose objects are only our own commits, so counting them can wait for so many fetches. */
const COUNT_EVERY = 20;

export interface TidyLimits {
  packs: number;
  loose: number;
}

export interface TidySettings {
  git: Git;
  directory: string;
  clock: Clock;
  limits: TidyLimits;
  writers: Writers;
  /** Called when packs were put together: who holds the old ones open must look again. */
  onTidied: () => void;
  log?: { warn(fields: object, message: string): void } | undefined;
}

export interface Tidier extends AsyncDisposable {
  /** Something new has come. Returns at once. */
  kick(): void;
  /** Resolves when nothing is being tidied. */
  idle(): Promise<void>;
}

/**
 * Keeps the number of packs and loose objects bounded, one tidying at a time, behind everything else. Small packs
 * are put together and every object is kept, reachable or not: a commit that is built but not yet pushed, or a line
 * that was rewritten, must stay readable.
 */
export function tidier(settings: TidySettings): Tidier {
  const { git, directory, clock, limits, writers, onTidied, log } = settings;
  const stop = new AbortController();
  let running: Promise<void> | null = null;
  let notBefore = 0;
  let kicks = 0;

  async function tidy(): Promise<void> {
    try {
      if (!(await isUntidy())) return;
      await writers.write(() =>
        git.run({
          args: ['-c', 'pack.threads=1', 'repack', '--quiet', '--geometric=2', '-d'],
          signal: stop.signal,
          timeoutMs: TIMEOUT_MS,
          isBackground: true,
        }),
      );
      onTidied();
    } catch (error) {
      if (stop.signal.aborted) return;
      notBefore = clock.now() + PAUSE_AFTER_FAILURE_MS;
      log?.warn({ reason: messageOf(error) }, 'the clone could not be tidied, it grows until that is mended');
    }
  }

  async function isUntidy(): Promise<boolean> {
    if ((await packCount(directory)) > limits.packs) return true;
    if (kicks++ % COUNT_EVERY !== 0) return false;
    return (await looseObjects(directory, clock.now() - HALF_OBJECT_MS)) > limits.loose;
  }

  return {
    kick: () => {
      if (running !== null || stop.signal.aborted || clock.now() < notBefore) return;
      running = tidy().finally(() => {
        running = null;
      });
    },
    idle: async () => {
      while (running !== null) await running;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}
