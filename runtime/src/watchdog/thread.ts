import { workerData } from 'node:worker_threads';
import { makeLog } from '../log.ts';
import { STEP_MS, type WatchdogOptions } from './watchdog.ts';

/*
 * The watchdog's own thread. Time is counted in looks, not by the clock: where the whole process was stopped, or the
 * machine asleep, both threads stood still and nothing is wrong.
 */
const { fields, tellAfterMs, endAfterMs, beats } = workerData as WatchdogOptions & { beats: Int32Array };
const log = makeLog(fields);

let seen = Atomics.load(beats, 0);
let blockedMs = 0;
setInterval(look, STEP_MS);

function look(): void {
  const now = Atomics.load(beats, 0);
  if (now !== seen) {
    if (blockedMs >= tellAfterMs) log.warn({ blockedMs }, 'event loop moves again');
    seen = now;
    blockedMs = 0;
    return;
  }
  const before = blockedMs;
  blockedMs += STEP_MS;
  if (before < tellAfterMs && blockedMs >= tellAfterMs) log.warn({ blockedMs }, 'event loop is blocked');
  if (before < endAfterMs && blockedMs >= endAfterMs)
    log.error({ blockedMs }, 'event loop stays blocked, the process is ended');
  // One look later, so that the line is out; nothing milder ends a thread that is blocked.
  if (before >= endAfterMs) process.kill(process.pid, 'SIGKILL');
}
