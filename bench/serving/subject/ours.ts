import { randomBytes } from 'node:crypto';
import type { Sample } from '../model/sample.ts';
import { dialectOf, type RuntimeProcess, startRuntime } from './runtime.ts';
import { snapshotOf, type Version, versionOf } from './snapshot.ts';
import { serveSnapshots } from './snapshot-server.ts';
import type { Ground, Subject, SubjectKind } from './subject.ts';

export const OURS: SubjectKind = {
  name: 'switchback',
  role: 'ours',
  what: 'as shipped: keys, counts, metrics, one engine process with one thread',
  speaks: ['json', 'binary'],
  start: (sample, ground) => startOurs(sample, ground),
};

/** One runtime, and what only scenarios do with it. */
export interface OurSubject extends Subject {
  /** Has it serve another version; resolves once all traffic goes there. */
  swap: (version: Version) => Promise<void>;
  untilReadyWithout: RuntimeProcess['untilReadyWithout'];
}

export async function startOurs(sample: Sample, ground: Ground, engines = 1): Promise<OurSubject> {
  await using parts = new AsyncDisposableStack();
  const token = randomBytes(24).toString('hex');
  const key = randomBytes(24).toString('hex');
  const controller = parts.use(await serveSnapshots(token));
  const runtime = parts.use(await startRuntime(ground, { controller, token }));
  const swap = async (version: Version): Promise<void> => {
    for (const [digest, bytes] of version.files) controller.artifacts.set(digest, bytes);
    const snapshot = snapshotOf(new Map([[sample.model.name, version]]), key);
    controller.publish(snapshot);
    await runtime.untilServes(snapshot.generation);
  };
  await swap(versionOf(sample, '1.0.0', engines));

  const owned = parts.move();
  return {
    kind: OURS,
    processes: () => ({ front: [runtime.pid], engine: runtime.engines() }),
    dialect: encoding => dialectOf(sample, runtime.address, key, encoding),
    swap,
    untilReadyWithout: pid => runtime.untilReadyWithout(pid),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
