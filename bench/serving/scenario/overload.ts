import { join } from 'node:path';
import { closedLoad } from '../load/closed.ts';
import { openLoad } from '../load/open.ts';
import { HEAVIEST, modelNamed } from '../model/models.ts';
import { makeSample } from '../model/sample.ts';
import type { OverloadResult } from '../results.ts';
import { OURS } from '../subject/ours.ts';
import type { Ground } from '../subject/subject.ts';

const CONNECTIONS = 32;
/** So many that the generator never waits for one. */
const MOST_CONNECTIONS = 4000;

/** What a 99th percentile takes to mean something, within bounds. */
const QUIET_REQUESTS = 400;
const LONGEST_QUIET_MS = 30_000;

/** Ten times as much as it can do, of a model that is heavy enough for one machine to send that. */
export async function overload(forMs: number, ground: Ground): Promise<OverloadResult> {
  const sample = await makeSample(modelNamed(HEAVIEST), join(ground.scratch, 'models'));
  await using ours = await OURS.start(sample, ground);
  const dialect = ours.dialect('json');
  const load = { connections: MOST_CONNECTIONS, forMs, signal: ground.signal };
  const closed = { ...ground, connections: CONNECTIONS, forMs };
  const { perSecond: capacity } = await closedLoad(dialect, closed);
  ground.tell(`overload: ${Math.round(capacity)}/s is what ${HEAVIEST} can do here`);
  const quietRate = capacity / 10;
  const quietMs = Math.max(forMs, Math.min(LONGEST_QUIET_MS, (QUIET_REQUESTS / quietRate) * 1000));
  const unloaded = await openLoad(dialect, { ...load, perSecond: quietRate, forMs: quietMs });
  const overloaded = await openLoad(dialect, { ...load, perSecond: capacity * 10 });
  return {
    model: HEAVIEST,
    capacityPerSecond: capacity,
    unloaded,
    overloaded,
    p99Ratio: overloaded.answered.p99Ms / unloaded.answered.p99Ms,
  };
}
