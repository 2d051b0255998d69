import type { Clock } from '../clock.ts';

/** Stands still; every sleep is told to the test, which ends it. */
export function heldClock() {
  let now = 1_000;
  let slept = Promise.withResolvers<number>();
  let wake: () => void = () => {};
  const clock: Clock = {
    now: () => now,
    sleep: (ms, aborted) =>
      new Promise(resolve => {
        wake = resolve;
        aborted?.addEventListener('abort', () => resolve(), { once: true });
        if (aborted?.aborted) return resolve();
        slept.resolve(ms);
      }),
  };
  return {
    clock,
    /** Resolves with how long the poller wants to sleep, once the look is over. */
    async rest(): Promise<number> {
      const ms = await slept.promise;
      slept = Promise.withResolvers();
      return ms;
    },
    advance(ms: number): void {
      now += ms;
      wake();
    },
  };
}

export function silentLog() {
  const lines: { level: string; message: unknown }[] = [];
  const at = (level: string) => (_: unknown, message?: unknown) => void lines.push({ level, message });
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}
