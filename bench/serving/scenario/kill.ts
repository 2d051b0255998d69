import { join } from 'node:path';
import { LIGHTEST, modelNamed } from '../model/models.ts';
import { makeSample } from '../model/sample.ts';
import type { Disturbed } from '../results.ts';
import { startOurs } from '../subject/ours.ts';
import type { Ground } from '../subject/subject.ts';
import { busiestEngine } from './busiest.ts';
import { underLoad } from './disturbance.ts';

/** What somebody asks for who wants a death not to be noticed. */
const ENGINES = 2;
const REST_MS = 1000;

/** Engines that hold the model, killed one after another while they work. */
export async function killEngines(times: number, quietMs: number, ground: Ground): Promise<Disturbed> {
  const sample = await makeSample(modelNamed(LIGHTEST), join(ground.scratch, 'models'));
  await using ours = await startOurs(sample, ground, ENGINES);
  const disturb = async (): Promise<void> => {
    const pid = await busiestEngine(() => ours.processes().engine, ground.signal);
    process.kill(pid, 'SIGKILL');
    await ours.untilReadyWithout(pid);
  };
  return await underLoad(ours, { what: 'engines killed', times, restMs: REST_MS, disturb }, quietMs, ground);
}
