import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../../model/sample.ts';
import { OURS } from '../../subject/ours.ts';
import { dialectOf, startListening } from '../../subject/runtime.ts';
import { ENVIRONMENT, snapshotOf, versionOf } from '../../subject/snapshot.ts';
import { serveSnapshots } from '../../subject/snapshot-server.ts';
import type { Ground, Subject } from '../../subject/subject.ts';
import { descendants } from '../../usage/processes.ts';
import { troubleOf } from '../check.ts';
import type { Recording } from './profiler.ts';
import { profilesOf } from './profiles-folder.ts';

const PROGRAM = fileURLToPath(new URL('./profiled-front.ts', import.meta.url));
const BOUND_MS = 60_000;

/** A runtime whose processes can be profiled. As long as they are not, it is as fast as any. */
export interface ProfiledSubject extends Subject {
  /** Profiles the front and all engines meanwhile. */
  record: <Result>(during: () => Promise<Result>) => Promise<Recorded<Result>>;
}

export interface Recorded<Result> {
  result: Result;
  front: Recording;
  engines: readonly Recording[];
}

export async function startProfiled(sample: Sample, ground: Ground): Promise<ProfiledSubject> {
  await using parts = new AsyncDisposableStack();
  const token = randomBytes(24).toString('hex');
  const key = randomBytes(24).toString('hex');
  const controller = parts.use(await serveSnapshots(token));
  const version = versionOf(sample, '1.0.0');
  for (const [digest, bytes] of version.files) controller.artifacts.set(digest, bytes);
  controller.publish(snapshotOf(new Map([[sample.model.name, version]]), key));

  const options = await optionsOf(ground, controller.address, token);
  const { child, address } = await startListening(PROGRAM, options, 'runtime is listening', ground);
  parts.use(child);
  const folder = profilesOf(options.state);
  const engines = (): number[] => descendants(child.pid);
  const subject: ProfiledSubject = {
    kind: OURS,
    processes: () => ({ front: [child.pid], engine: engines() }),
    dialect: encoding => dialectOf(sample, address, key, encoding),
    record: async during => {
      const pids = [child.pid, ...(await readyOf(engines(), folder))];
      await tell(pids, folder, 'started', ground.signal);
      const result = await during();
      await tell(pids, folder, 'json', ground.signal);
      const [front, ...others] = await Promise.all(pids.map(pid => takeRecording(folder, pid)));
      return { result, front: front!, engines: others };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  const isRight = async (): Promise<true | null> =>
    (await troubleOf(subject, sample, 'json')) === null ? true : null;
  await child.until(isRight, 'its right answers', { boundMs: BOUND_MS, signal: ground.signal });

  const owned = parts.move();
  return subject;
}

async function optionsOf(
  { scratch }: Ground,
  controller: string,
  token: string,
): Promise<{ state: string } & Record<string, string>> {
  await mkdir(scratch, { recursive: true });
  const state = await mkdtemp(join(scratch, 'profiled-'));
  const tokenFile = `${state}.token`;
  await writeFile(tokenFile, token);
  return { environment: ENVIRONMENT, controller, state, 'token-file': tokenFile, port: '0' };
}

/** Those that listen for the signal already: any other would be ended by it. */
async function readyOf(pids: readonly number[], folder: string): Promise<number[]> {
  const isReady = await Promise.all(pids.map(pid => isThere(join(folder, `${pid}.ready`))));
  return pids.filter((_, index) => isReady[index]);
}

/** Resolves once each has left what it leaves when it is told. */
async function tell(
  pids: readonly number[],
  folder: string,
  leaves: 'started' | 'json',
  signal: AbortSignal,
): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGUSR2');
  const until = performance.now() + BOUND_MS;
  for (const pid of pids) {
    while (!(await isThere(join(folder, `${pid}.${leaves}`)))) {
      if (performance.now() > until) throw new Error(`the profiler of process ${pid} did not answer`);
      await delay(10, undefined, { signal });
    }
  }
}

/** And removes what was left, so that it is not taken for what the next one leaves. */
async function takeRecording(folder: string, pid: number): Promise<Recording> {
  const path = join(folder, `${pid}.json`);
  const text = await readFile(path, 'utf8');
  await Promise.all([rm(path), rm(join(folder, `${pid}.started`))]);
  return JSON.parse(text) as Recording;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
