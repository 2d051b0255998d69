import { join } from 'node:path';
import { LIGHTEST, modelNamed } from '../model/models.ts';
import { makeSample } from '../model/sample.ts';
import type { Disturbed } from '../results.ts';
import { startOurs } from '../subject/ours.ts';
import { versionOf } from '../subject/snapshot.ts';
import type { Ground } from '../subject/subject.ts';
import { underLoad } from './disturbance.ts';

/** Far more often than anybody releases, and seldom enough that the times between say what is usual. */
const REST_MS = 1000;

/** One version after another, each with weights other than the one before it. */
export async function swapVersions(times: number, quietMs: number, ground: Ground): Promise<Disturbed> {
  const model = modelNamed(LIGHTEST);
  const folder = join(ground.scratch, 'models');
  const samples = [await makeSample(model, folder, 1), await makeSample(model, folder, 2)];
  await using ours = await startOurs(samples[0]!, ground);
  const disturb = (count: number): Promise<void> => ours.swap(versionOf(samples[count % 2]!, `1.0.${count}`));
  return await underLoad(
    ours,
    { what: 'versions swapped', times, restMs: REST_MS, disturb },
    quietMs,
    ground,
  );
}
