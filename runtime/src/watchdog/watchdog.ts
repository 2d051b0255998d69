import { Worker } from 'node:worker_threads';
import { messageOf } from '../error.ts';
import type { Log } from '../log.ts';

export interface WatchdogOptions {
  /** Of every line that it logs. */
  fields: Record<string, unknown>;
  /** Told once the event loop has stood still for so long. */
  tellAfterMs: number;
  /** The process is ended, to be started anew, once the event loop has stood still for so long. */
  endAfterMs: number;
}

/** How often the count that both threads share is moved on by one, and looked at by the other. */
export const STEP_MS = 250;

/**
 * Watches this thread from another one. A thread that is blocked can neither say so nor end; nobody outside can tell
 * it from one that has much to do. What engines run is not its business: they are processes with deadlines.
 */
export function startWatchdog(options: WatchdogOptions, log: Log): AsyncDisposable {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: { ...options, beats },
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  });
  // A process without a watchdog is better than none.
  thread.on('error', error => log.warn({ reason: messageOf(error) }, 'event loop is not watched'));
  thread.unref();
  const timer = setInterval(() => Atomics.add(beats, 0, 1), STEP_MS);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await thread.terminate();
    },
  };
}
