import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LIGHTEST, modelNamed } from '../model/models.ts';
import { makeSample } from '../model/sample.ts';
import type { Disturbed } from '../results.ts';
import { type OurSubject, startOurs } from '../subject/ours.ts';
import type { Ground } from '../subject/subject.ts';
import { usageOf } from '../usage/processes.ts';
import { underLoad } from './disturbance.ts';

/** What somebody asks for who wants a death not to be noticed. */
const ENGINES = 2;
const REST_MS = 500;
/** Long enough for a tick of the kernel's count of processor time to fall to whoever works. */
const LOOK_MS = 200;
const BACK_MS = 30_000;

/** Engines that hold the model, killed one after another while they work. */
export async function killEngines(times: number, quietMs: number, ground: Ground): Promise<Disturbed> {
  const sample = await makeSample(modelNamed(LIGHTEST), join(ground.scratch, 'models'));
  await using ours = await startOurs(sample, ground, ENGINES);
  const disturb = async (): Promise<void> => {
    const pid = await busiestEngine(ours, ground.signal);
    process.kill(pid, 'SIGKILL');
    await ours.untilReadyWithout(pid);
  };
  return await underLoad(ours, { what: 'engines killed', times, restMs: REST_MS, disturb }, quietMs, ground);
}

/** The one that used most processor time just now: a spare one would not be missed. */
async function busiestEngine(ours: OurSubject, signal: AbortSignal): Promise<number> {
  const until = performance.now() + BACK_MS;
  while (performance.now() < until) {
    const before = new Map(ours.processes().engine.map(pid => [pid, usageOf([pid]).cpuUs]));
    await delay(LOOK_MS, undefined, { signal });
    const [busiest] = ours
      .processes()
      .engine.flatMap(pid => {
        const usedUs = usageOf([pid]).cpuUs - (before.get(pid) ?? Number.POSITIVE_INFINITY);
        return usedUs > 0 ? [{ pid, usedUs }] : [];
      })
      .toSorted((a, b) => b.usedUs - a.usedUs);
    if (busiest !== undefined) return busiest.pid;
  }
  throw new Error('no engine worked, although there was load');
}
