import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OBSERVATION_PATH, RuntimeObservation } from '@switchback-ml/schemas';
import type { Sample } from '../model/sample.ts';
import { descendants } from '../usage/processes.ts';
import { type Encoding, HEAD_LENGTH, readV2, v2Request } from '../v2.ts';
import { Child } from './child.ts';
import { ENVIRONMENT, snapshotOf, type Version, versionOf } from './snapshot.ts';
import { type SnapshotServer, serveSnapshots } from './snapshot-server.ts';
import type { Dialect, Ground, Subject, SubjectKind } from './subject.ts';

const RUNTIME = fileURLToPath(new URL('../../../runtime/src/main.ts', import.meta.url));
const START_MS = 60_000;

export const OURS: SubjectKind = {
  name: 'switchback',
  role: 'ours',
  what: 'as shipped: keys, counts, metrics, one engine process with one thread',
  speaks: ['json', 'binary'],
  start: (sample, ground) => startOurs(sample, ground),
};

/** A runtime as it is started in earnest, and what only scenarios do with it. */
export interface OurSubject extends Subject {
  /** Has it serve another version; resolves once all traffic goes there. */
  swap: (version: Version) => Promise<void>;
  /** Resolves once that process is gone and the model is said to be ready again, within a bound. */
  untilReadyWithout: (pid: number) => Promise<void>;
}

export async function startOurs(sample: Sample, ground: Ground, engines = 1): Promise<OurSubject> {
  await using parts = new AsyncDisposableStack();
  const token = randomBytes(24).toString('hex');
  const key = randomBytes(24).toString('hex');
  const controller = parts.use(await serveSnapshots(token));
  const { child, address } = await startRuntime(ground, controller, token);
  parts.use(child);
  const { name } = sample.model;
  const bound = { boundMs: START_MS, signal: ground.signal };
  const observe = async (): Promise<RuntimeObservation> => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(address + OBSERVATION_PATH, {
      headers,
      signal: AbortSignal.timeout(10_000),
    });
    return RuntimeObservation.parse(await response.json());
  };
  const swap = async (version: Version): Promise<void> => {
    for (const [digest, bytes] of version.files) controller.artifacts.set(digest, bytes);
    const snapshot = snapshotOf(name, version, key);
    controller.publish(snapshot);
    await child.until(
      async () => (isServed(await observe(), snapshot.generation) ? true : null),
      'the version',
      bound,
    );
  };
  await swap(versionOf(sample, '1.0.0', engines));

  const owned = parts.move();
  return {
    kind: OURS,
    processes: () => ({ front: [child.pid], engine: descendants(child.pid) }),
    dialect: encoding => dialectOf(sample, address, key, encoding),
    swap,
    untilReadyWithout: async pid => {
      const isSo = async (): Promise<boolean> =>
        !descendants(child.pid).includes(pid) &&
        (await observe()).loaded.every(({ state }) => state === 'ready');
      await child.until(async () => ((await isSo()) ? true : null), 'readiness', bound);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function isServed({ routes }: RuntimeObservation, generation: string): boolean {
  return (
    Object.values(routes).every(route => route?.generation === generation) && Object.keys(routes).length > 0
  );
}

async function startRuntime(
  { scratch, signal }: Ground,
  controller: SnapshotServer,
  token: string,
): Promise<{ child: Child; address: string }> {
  await mkdir(scratch, { recursive: true });
  const state = await mkdtemp(join(scratch, 'runtime-'));
  const tokenFile = `${state}.token`;
  await writeFile(tokenFile, token);
  let address: string | null = null;
  const options = {
    environment: ENVIRONMENT,
    controller: controller.address,
    state,
    'token-file': tokenFile,
  };
  const child = await Child.start({
    program: process.execPath,
    args: [RUNTIME, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])],
    onLine: line => {
      const { msg, address: at } = JSON.parse(line) as { msg?: string; address?: string };
      if (msg === 'runtime is listening' && at !== undefined) address = at;
    },
  });
  try {
    const bound = { boundMs: START_MS, signal };
    return { child, address: await child.until(async () => address, 'its address', bound) };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

function dialectOf(sample: Sample, address: string, key: string, encoding: Encoding): Dialect {
  return {
    url: `${address}/v2/models/${sample.model.name}/infer`,
    messages: sample.rows.map(row => {
      const { headers, body } = v2Request(sample, row, encoding);
      return { headers: { ...headers, authorization: `Bearer ${key}` }, body };
    }),
    read: (body, headers) => readV2(body, headers.get(HEAD_LENGTH)),
  };
}
