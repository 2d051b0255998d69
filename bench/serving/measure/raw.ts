import type { Sample } from '../model/sample.ts';
import { startRawLoop } from '../raw/loop.ts';
import type { RawResult } from '../results.ts';
import { median, medianOfRatios } from '../statistics.ts';
import { OURS } from '../subject/ours.ts';
import type { Ground } from '../subject/subject.ts';
import { measureRound } from './cell.ts';

const BATCHES = [1, 8, 32];
const CONNECTIONS = 32;

/** The runtime over JSON, and the graph in a loop with as many threads, in turn. */
export async function measureRaw(
  sample: Sample,
  { rounds, forMs, ground }: { rounds: number; forMs: number; ground: Ground },
): Promise<RawResult> {
  await using loop = startRawLoop(sample, ground.signal);
  await using ours = await OURS.start(sample, ground);
  const dialect = ours.dialect('json');
  const load = { ...ground, connections: CONNECTIONS, forMs };
  const byBatch = new Map(BATCHES.map(batch => [batch, [] as number[]]));
  const served: number[] = [];
  await measureRound(ours, dialect, { ...load, forMs: 1000 });
  for (let round = 1; round <= rounds; round++) {
    for (const batch of BATCHES) byBatch.get(batch)!.push(await loop.run({ batch, forMs: forMs / 2 }));
    served.push((await measureRound(ours, dialect, load)).perSecond);
    ground.tell(`${sample.model.name}, round ${round} of ${rounds}: raw ONNX Runtime and switchback in turn`);
  }
  const best = served.map((_, round) => Math.max(...BATCHES.map(batch => byBatch.get(batch)![round]!)));
  return {
    model: sample.model.name,
    perRow: BATCHES.map(batch => ({ batch, us: 1e6 / median(byBatch.get(batch)!) })),
    ratio: medianOfRatios(served, best),
    perSecond: median(served),
  };
}
