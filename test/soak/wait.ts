import { setTimeout as delay } from 'node:timers/promises';

/** Until the time has passed, or the signal aborts; whether it passed. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

/** Every so often until the signal aborts; what fails once is done again at its next time. */
export async function everySoOften(
  everyMs: number,
  signal: AbortSignal,
  look: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now();
    // What is looked at may be away: that is what the soak does to it.
    await look().catch(() => {});
    await pause(Math.max(0, everyMs - (performance.now() - began)), signal);
  }
}

/** What `look` finds, once it finds anything; asked every half second. Throws after `withinMs`, naming what was waited for. */
export async function found<Found>(
  what: string,
  withinMs: number,
  signal: AbortSignal,
  look: () => Promise<Found | null | undefined> | Found | null | undefined,
): Promise<Found> {
  const until = performance.now() + withinMs;
  let why = '';
  for (;;) {
    signal.throwIfAborted();
    try {
      const value = await look();
      if (value !== null && value !== undefined) return value;
      why = '';
    } catch (error) {
      if (error instanceof Refuted) throw error;
      why = ` (${error instanceof Error ? error.message : String(error)})`;
    }
    if (performance.now() > until) throw new Error(`waited ${withinMs / 1000} s in vain for ${what}${why}`);
    await pause(LOOK_EVERY_MS, signal);
  }
}

/** What was waited for will not come. */
export class Refuted extends Error {}

const LOOK_EVERY_MS = 500;
