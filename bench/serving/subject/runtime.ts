import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OBSERVATION_PATH, RuntimeObservation } from '@switchback-ml/schemas';
import { LONG_LIVED } from '../../../controller/src/long-lived.ts';
import type { Sample } from '../model/sample.ts';
import { descendants } from '../usage/processes.ts';
import { type Encoding, HEAD_LENGTH, readV2, v2Request } from '../v2.ts';
import { Child } from './child.ts';
import { ENVIRONMENT } from './snapshot.ts';
import type { SnapshotServer } from './snapshot-server.ts';
import type { Dialect, Ground } from './subject.ts';

const RUNTIME = fileURLToPath(new URL('../../../runtime/src/main.ts', import.meta.url));
const START_MS = 60_000;

export interface RuntimePlace {
  controller: SnapshotServer;
  token: string;
  /** Kept from one runtime to the next at the same place; absent: a new one. */
  state?: string;
  /** 0: any. */
  port?: number;
}

/** A runtime as it is started in earnest. */
export interface RuntimeProcess extends AsyncDisposable {
  pid: number;
  address: string;
  state: string;
  /** Its engines, the spare one too. */
  engines: () => number[];
  /** Resolves once all traffic goes by the snapshot of that generation, within a bound. */
  untilServes: (generation: string) => Promise<void>;
  /** Resolves once that process is gone and every model is said to be ready again, within a bound. */
  untilReadyWithout: (pid: number) => Promise<void>;
}

export async function startRuntime(ground: Ground, place: RuntimePlace): Promise<RuntimeProcess> {
  const { controller, token, port = 0 } = place;
  await mkdir(ground.scratch, { recursive: true });
  const state = place.state ?? (await mkdtemp(join(ground.scratch, 'runtime-')));
  const tokenFile = `${state}.token`;
  await writeFile(tokenFile, token);
  const options = {
    environment: ENVIRONMENT,
    controller: controller.address,
    state,
    'token-file': tokenFile,
    port: String(port),
  };
  const { child, address } = await startListening(RUNTIME, options, 'runtime is listening', ground);
  const bound = { boundMs: START_MS, signal: ground.signal };
  const observe = async (): Promise<RuntimeObservation> => {
    const response = await fetch(address + OBSERVATION_PATH, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    });
    return RuntimeObservation.parse(await response.json());
  };
  const engines = (): number[] => descendants(child.pid);
  const until = (isSo: () => Promise<boolean>, what: string): Promise<true> =>
    child.until(async () => ((await isSo()) ? true : null), what, bound);
  return {
    pid: child.pid,
    address,
    state,
    engines,
    untilServes: async generation => {
      await until(async () => isServed(await observe(), generation), 'the version');
    },
    untilReadyWithout: async pid => {
      const isReady = async (): Promise<boolean> =>
        (await observe()).loaded.every(one => one.state === 'ready');
      await until(async () => !engines().includes(pid) && (await isReady()), 'readiness');
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** A program of ours that logs the address it listens on; with `options` as `--name value`. */
export async function startListening(
  program: string,
  options: Readonly<Record<string, string>>,
  says: string,
  { signal }: Ground,
): Promise<{ child: Child; address: string }> {
  let address: string | null = null;
  const child = await Child.start({
    program: process.execPath,
    args: [
      ...LONG_LIVED,
      program,
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    ],
    onLine: line => {
      const { msg, address: at } = JSON.parse(line) as { msg?: string; address?: string };
      if (msg === says && at !== undefined) address = at;
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

export function dialectOf(sample: Sample, address: string, key: string, encoding: Encoding): Dialect {
  return {
    url: `${address}/v2/models/${sample.model.name}/infer`,
    messages: sample.rows.map(row => {
      const { headers, body } = v2Request(sample, row, encoding);
      return { headers: { ...headers, authorization: `Bearer ${key}` }, body };
    }),
    read: (body, headers) => readV2(body, headers.get(HEAD_LENGTH)),
  };
}

function isServed({ routes }: RuntimeObservation, generation: string): boolean {
  const all = Object.values(routes);
  return all.length > 0 && all.every(route => route?.generation === generation);
}
