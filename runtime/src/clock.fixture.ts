import { type Clock, systemClock } from './clock.ts';

export interface SteppedClock extends Clock {
  /** Lets time pass, waking each sleeper in its turn and letting it act before the next. */
  advance(ms: number): Promise<void>;
}

/** A clock that stands still until it is told to go on. */
export function steppedClock(): SteppedClock {
  const sleepers = new Set<{ at: number; wake: () => void }>();
  let now = 0;
  return {
    now: () => now,
    elapsed: () => now,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.resolve();
      return new Promise(resolve => {
        const sleeper = { at: now + ms, wake };
        function wake(): void {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        }
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      });
    },
    async advance(ms) {
      const until = now + ms;
      await settled();
      for (;;) {
        const [next] = [...sleepers].toSorted((a, b) => a.at - b.at);
        if (next === undefined || next.at > until) break;
        now = next.at;
        next.wake();
        await settled();
      }
      now = until;
      await settled();
    },
  };
}

/** Real time, so many times as fast for everybody who asks this clock. */
export function hastyClock(times: number): Clock {
  const began = systemClock.now();
  return {
    now: () => began + (systemClock.now() - began) * times,
    elapsed: () => systemClock.elapsed() * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  };
}

/** A few turns of the event loop: what was woken has acted, as far as it waits for nothing real. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve));
}
