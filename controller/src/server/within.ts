import type { Clock } from '../clock.ts';

/** Runs `work` with a signal that aborts after `ms`, or when `signal` does; leaves no timer behind. */
export async function within<Result>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const either = AbortSignal.any([over.signal, signal]);
  const bell = clock.sleep(ms, either).then(() => over.abort());
  try {
    return await work(either);
  } finally {
    over.abort();
    await bell;
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
