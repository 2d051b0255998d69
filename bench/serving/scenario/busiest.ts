import { setTimeout as delay } from 'node:timers/promises';
import { usageOf } from '../usage/processes.ts';

/** Long enough for a tick of the kernel's count of processor time to fall to whoever works. */
const LOOK_MS = 200;
const BOUND_MS = 30_000;

/** The engine that used most processor time just now: a spare one would not be missed. */
export async function busiestEngine(engines: () => readonly number[], signal: AbortSignal): Promise<number> {
  const until = performance.now() + BOUND_MS;
  while (performance.now() < until) {
    const before = new Map(engines().map(pid => [pid, usageOf([pid]).cpuUs]));
    await delay(LOOK_MS, undefined, { signal });
    const [busiest] = engines()
      .flatMap(pid => {
        const usedUs = usageOf([pid]).cpuUs - (before.get(pid) ?? Number.POSITIVE_INFINITY);
        return usedUs > 0 ? [{ pid, usedUs }] : [];
      })
      .toSorted((a, b) => b.usedUs - a.usedUs);
    if (busiest !== undefined) return busiest.pid;
  }
  throw new Error('no engine worked, although there was load');
}
