import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { closedLoad } from '../load/closed.ts';
import { type OpenResult, openLoad } from '../load/open.ts';
import { HEAVIEST, LIGHTEST, modelNamed } from '../model/models.ts';
import { makeSample, type Sample } from '../model/sample.ts';
import type { NeighboursResult } from '../results.ts';
import { dialectOf, startRuntime } from '../subject/runtime.ts';
import { snapshotOf, versionOf } from '../subject/snapshot.ts';
import { serveSnapshots } from '../subject/snapshot-server.ts';
import type { Dialect, Ground } from '../subject/subject.ts';

/** Into the light model: little enough that what it meets is the heavy one, and nothing of its own. */
const LIGHT_PER_SECOND = 500;
const LIGHT_CONNECTIONS = 64;
/** As many callers as keep the heavy model's engine busy without a break. */
const HEAVY_CONNECTIONS = 32;

/** A light model at a steady rate, alone and then beside a heavy one in the same runtime that gets all it can do. */
export async function neighbours(forMs: number, ground: Ground): Promise<NeighboursResult> {
  const folder = join(ground.scratch, 'models');
  const light = await makeSample(modelNamed(LIGHTEST), folder);
  const heavy = await makeSample(modelNamed(HEAVIEST), folder);
  await using both = await startBoth([light, heavy], ground);
  const [lightDialect, heavyDialect] = [both.dialect(light), both.dialect(heavy)];
  const load = { perSecond: LIGHT_PER_SECOND, forMs, connections: LIGHT_CONNECTIONS, signal: ground.signal };
  const before = await openLoad(lightDialect, load);
  const [beside, { perSecond }] = await Promise.all([
    openLoad(lightDialect, load),
    closedLoad(heavyDialect, { ...ground, connections: HEAVY_CONNECTIONS, forMs: forMs + 500 }),
  ]);
  const after = await openLoad(lightDialect, load);
  const alone = [before, after] satisfies OpenResult[];
  ground.tell(`${LIGHTEST}: ${beside.answered.p50Ms.toFixed(2)} ms beside ${HEAVIEST}, in the middle`);
  return { light: LIGHTEST, heavy: HEAVIEST, heavyPerSecond: perSecond, alone, beside };
}

interface Both extends AsyncDisposable {
  dialect: (sample: Sample) => Dialect;
}

/** One runtime that serves all of these. */
async function startBoth(samples: readonly Sample[], ground: Ground): Promise<Both> {
  await using parts = new AsyncDisposableStack();
  const token = randomBytes(24).toString('hex');
  const key = randomBytes(24).toString('hex');
  const controller = parts.use(await serveSnapshots(token));
  const runtime = parts.use(await startRuntime(ground, { controller, token }));
  const versions = new Map(samples.map(sample => [sample.model.name, versionOf(sample, '1.0.0')]));
  for (const { files } of versions.values())
    for (const [digest, bytes] of files) controller.artifacts.set(digest, bytes);
  const snapshot = snapshotOf(versions, key);
  controller.publish(snapshot);
  await runtime.untilServes(snapshot.generation);
  const owned = parts.move();
  return {
    dialect: sample => dialectOf(sample, runtime.address, key, 'json'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
