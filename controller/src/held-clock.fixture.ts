import type { Clock } from './clock.ts';

export interface HeldClock extends Clock {
  at: number;
}

/** A clock whose time is what the test says, and whose sleeps end when the test says so, or when they are aborted. */
export function heldClock(at = 0): { clock: HeldClock; sleeps: { ms: number; end: () => void }[] } {
  const sleeps: { ms: number; end: () => void }[] = [];
  const clock: HeldClock = {
    at,
    now: () => clock.at,
    sleep: (ms, signal) =>
      new Promise<void>(resolve => {
        if (signal?.aborted) return resolve();
        sleeps.push({ ms, end: resolve });
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  return { clock, sleeps };
}
