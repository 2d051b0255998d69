import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../model/sample.ts';
import { dialectOf, type RuntimeProcess, startListening, startRuntime } from './runtime.ts';
import { ENVIRONMENT, snapshotOf, type Version, versionOf } from './snapshot.ts';
import { type SnapshotServer, serveSnapshots } from './snapshot-server.ts';
import type { Dialect, Ground } from './subject.ts';

const GATEWAY = fileURLToPath(new URL('../../../runtime/src/gateway/main.ts', import.meta.url));

/** Runtimes of one environment behind a gateway. Stopped by whoever started it. */
export interface Fleet extends AsyncDisposable {
  dialect: Dialect;
  runtimes: readonly RuntimeProcess[];
  /** Resolves once all of them serve nothing else. */
  swap: (version: Version) => Promise<void>;
  /** Starts a new one at the same place, and resolves once it serves. */
  replace: (index: number, how: 'killed' | 'stopped') => Promise<void>;
}

export async function startFleet(sample: Sample, count: number, ground: Ground): Promise<Fleet> {
  await using parts = new AsyncDisposableStack();
  const token = randomBytes(24).toString('hex');
  const key = randomBytes(24).toString('hex');
  const controller = parts.use(await serveSnapshots(token));
  const runtimes = parts.use(await startRuntimes(ground, { controller, token }, count));
  let generation = '';
  const swap = async (version: Version): Promise<void> => {
    for (const [digest, bytes] of version.files) controller.artifacts.set(digest, bytes);
    const snapshot = snapshotOf(new Map([[sample.model.name, version]]), key);
    ({ generation } = snapshot);
    controller.publish(snapshot);
    await Promise.all(runtimes.all.map(runtime => runtime.untilServes(generation)));
  };
  await swap(versionOf(sample, '1.0.0'));
  const gateway = await startGateway(runtimes.all, ground);
  parts.use(gateway.child);

  const owned = parts.move();
  return {
    dialect: dialectOf(sample, gateway.address, key, 'json'),
    runtimes: runtimes.all,
    swap,
    replace: async (index, how) => {
      await runtimes.replace(index, how);
      await runtimes.all[index]!.untilServes(generation);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Runtimes extends AsyncDisposable {
  all: readonly RuntimeProcess[];
  replace: Fleet['replace'];
}

async function startRuntimes(
  ground: Ground,
  place: { controller: SnapshotServer; token: string },
  count: number,
): Promise<Runtimes> {
  const all: RuntimeProcess[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(all.map(runtime => runtime[Symbol.asyncDispose]()));
  };
  try {
    for (let index = 0; index < count; index++) all.push(await startRuntime(ground, place));
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    all,
    async replace(index, how) {
      const { pid, state, address } = all[index]!;
      if (how === 'killed') process.kill(pid, 'SIGKILL');
      await all[index]![Symbol.asyncDispose]();
      all[index] = await startRuntime(ground, { ...place, state, port: Number(new URL(address).port) });
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function startGateway(runtimes: readonly RuntimeProcess[], ground: Ground) {
  const listing = join(ground.scratch, `fleet-${randomBytes(4).toString('hex')}.json`);
  const list = runtimes.map(({ address }) => ({ environment: ENVIRONMENT, url: address }));
  await writeFile(listing, JSON.stringify({ runtimes: list }));
  return startListening(GATEWAY, { runtimes: listing, port: '0' }, 'gateway is listening', ground);
}
