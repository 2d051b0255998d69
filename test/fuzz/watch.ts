import { Worker } from 'node:worker_threads';
import { type Finding, LONGEST_MS, type Progress } from './fuzz.ts';
import { SharedInput } from './shared-input.ts';

export interface Watched {
  findings: Finding[];
  /** Null: the thread hung, or died, before it could tell. */
  progress: Progress | null;
}

export interface WatchOptions {
  /** Of the target. */
  name: string;
  seed: number;
  forMs: number;
  /** How many inputs at most. */
  inputs?: number;
  kept: readonly Buffer[];
  signal?: AbortSignal;
}

const LOOK_EVERY_MS = 100;
/** A machine under load may keep a thread waiting; an input that hangs outlasts this as well. */
const HANGS_AFTER_MS = 10 * LONGEST_MS;
const HEAP_MEGABYTES = 1024;

/** Lets a thread of its own read inputs, and ends it when one of them hangs or takes all the memory. */
export function watch({
  name,
  seed,
  forMs,
  inputs = Number.POSITIVE_INFINITY,
  kept,
  signal,
}: WatchOptions): Promise<Watched> {
  const shared = new SharedInput();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { name, seed, inputs, buffer: shared.buffer, kept },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  return new Promise((resolve, reject) => {
    /** Of the first input: a thread takes a while to begin. */
    let startedAt: number | null = null;
    const looking = setInterval(() => {
      if (shared.ageMs() > 0) startedAt ??= Date.now();
      if ((startedAt !== null && Date.now() - startedAt > forMs) || signal?.aborted) shared.stop();
      if (shared.ageMs() > HANGS_AFTER_MS) end({ reason: `hung for over ${HANGS_AFTER_MS} ms` });
    }, LOOK_EVERY_MS);
    const end = ({ reason }: { reason: string }): void => {
      clearInterval(looking);
      void worker.terminate();
      resolve({ findings: [{ reason, input: shared.present() }], progress: null });
    };
    worker.once('message', (result: Watched) => {
      clearInterval(looking);
      worker.once('exit', () => resolve(result));
    });
    worker.once('error', (error: Error & { code?: string }) => {
      if (shared.ageMs() > 0) return end({ reason: `the thread died: ${error.code ?? ''} ${error.message}` });
      clearInterval(looking);
      reject(error);
    });
  });
}
