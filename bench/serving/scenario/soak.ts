import { join } from 'node:path';
import { closedLoad } from '../load/closed.ts';
import { LIGHTEST, modelNamed } from '../model/models.ts';
import { makeSample } from '../model/sample.ts';
import type { SoakResult } from '../results.ts';
import { OURS } from '../subject/ours.ts';
import type { Ground } from '../subject/subject.ts';
import { usageOf } from '../usage/processes.ts';

const CONNECTIONS = 32;
const SLICE_MS = 10_000;

/** As fast as it goes until so many were answered, with the memory at each step. */
export async function soak(requests: number, ground: Ground): Promise<SoakResult> {
  const sample = await makeSample(modelNamed(LIGHTEST), join(ground.scratch, 'models'));
  await using ours = await OURS.start(sample, ground);
  const samples: { requests: number; frontMiB: number; engineMiB: number }[] = [];
  let done = 0;
  let failed = 0;
  const look = (): void => {
    const { front, engine } = ours.processes();
    const frontMiB = usageOf(front).residentBytes / 2 ** 20;
    const engineMiB = usageOf(engine).residentBytes / 2 ** 20;
    samples.push({ requests: done, frontMiB, engineMiB });
  };
  while (done < requests) {
    const slice = { ...ground, connections: CONNECTIONS, forMs: SLICE_MS };
    const closed = await closedLoad(ours.dialect('json'), slice);
    if (closed.requests === 0) throw new Error('nothing was answered within ten seconds');
    done += closed.requests;
    failed += closed.refused + closed.broken;
    look();
    ground.tell(`soak: ${done.toLocaleString('en')} of ${requests.toLocaleString('en')} requests`);
  }
  return { requests: done, failed, samples };
}
