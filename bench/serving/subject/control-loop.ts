import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { events, remoteServer, seedRepository, status, up } from '@switchback-ml/controller/command';
import {
  type Event,
  OBSERVATION_PATH,
  RuntimeObservation,
  ServingSnapshot,
  SNAPSHOT_PATH,
} from '@switchback-ml/schemas';
import type { Sample } from '../model/sample.ts';
import { Author } from './author.ts';
import { writeModelFolder } from './model-repository.ts';
import { dialectOf } from './runtime.ts';
import { ENVIRONMENT, versionOf } from './snapshot.ts';
import type { Dialect, Ground } from './subject.ts';

const BRANCH = 'main';
/** So seldom that what is seen is seen because of a nudge. */
const POLL = '1h';
const ANSWER_MS = 10_000;
const SETTLED_MS = 60_000;
const LOOK_MS = 50;
/** What the controller takes at most. */
const LONG_POLL_SECONDS = 30;

/** A remote, a controller that watches it, its runtime, and somebody who pushes. Stopped by whoever started it. */
export interface ControlLoop extends AsyncDisposable {
  author: Author;
  dialect: Dialect;
  /** Has the controller look at the remote now. */
  nudge: () => Promise<void>;
  /** The clock's time when the snapshot that gives all traffic to a version came to one who waits for it. */
  published: (version: string, signal: AbortSignal) => Promise<number>;
  /** Of a commit; undefined where the controller has not decided on it yet. */
  seen: (commit: string) => Promise<Event | undefined>;
  observe: () => Promise<RuntimeObservation>;
  /** Resolves once a version has all traffic, has baked, and nothing is under way any more; within a bound. */
  settled: (version: string) => Promise<void>;
}

/** All as they are started in earnest; the sample is version 1.0.0 of its model. */
export async function startControlLoop(sample: Sample, ground: Ground): Promise<ControlLoop> {
  const { signal } = ground;
  await using parts = new AsyncDisposableStack();
  const directory = join(ground.scratch, `loop-${randomBytes(4).toString('hex')}`);
  const remotes = join(directory, 'remote');
  await seed(sample, directory, remotes, signal);
  const remote = parts.use(await remoteServer({ directory: remotes }));
  const repo = remote.url('models');
  const author = await Author.clone(repo, join(directory, 'author'), signal);
  const state = join(directory, 'state');
  const running = parts.use(await up({ repo, branch: BRANCH, state, poll: POLL, signal }));
  const secret = async (...name: string[]): Promise<string> =>
    (await readFile(join(state, ...name), 'utf8')).trim();
  const tokens = { operator: await secret('operator-token'), runtime: await secret('runtime-token') };
  const address = running.status.environments.find(({ name }) => name === ENVIRONMENT)?.address;
  if (typeof address !== 'string') throw new Error('the controller has started no runtime');
  const dialect = dialectOf(sample, address, await secret('keys', ENVIRONMENT), 'json');

  const owned = parts.move();
  return {
    author,
    dialect,
    nudge: () => nudge(running.address, tokens.operator),
    published: (version, until) => published(running.address, tokens.runtime, version, until),
    seen: commit => eventOf(commit, state, signal),
    observe: () => observe(address, tokens.runtime),
    settled: version => settled(version, state, signal),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function seed(sample: Sample, directory: string, remotes: string, signal: AbortSignal): Promise<void> {
  const from = join(directory, 'seed');
  await writeModelFolder(from, sample.model.name, versionOf(sample, '1.0.0'));
  await seedRepository({
    bare: join(remotes, 'models.git'),
    from,
    branch: BRANCH,
    message: 'One model, one environment',
    at: Date.now(),
    author: { name: 'Bench', email: 'bench@localhost' },
    signal,
  });
}

async function nudge(controller: string, token: string): Promise<void> {
  const response = await fetch(`${controller}/api/v1alpha1/nudge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the controller answered a nudge with ${response.status}`);
}

/** Waits as a runtime does. */
async function published(
  controller: string,
  token: string,
  version: string,
  signal: AbortSignal,
): Promise<number> {
  const path = SNAPSHOT_PATH.replace(':environment', ENVIRONMENT);
  let etag = '';
  for (;;) {
    const response = await fetch(`${controller}${path}?wait=${LONG_POLL_SECONDS}`, {
      headers: { authorization: `Bearer ${token}`, 'if-none-match': etag },
      signal,
    });
    const at = Date.now();
    const text = await response.text();
    if (response.status === 304) continue;
    if (!response.ok) throw new Error(`the controller answered ${response.status} instead of a snapshot`);
    const { routes, generation } = ServingSnapshot.parse(JSON.parse(text));
    const backends = Object.values(routes).flatMap(route => route?.backends ?? []);
    if (backends.some(backend => backend.version === version && backend.weight === 100)) return at;
    etag = `"${generation}"`;
  }
}

async function eventOf(commit: string, state: string, signal: AbortSignal): Promise<Event | undefined> {
  for await (const event of events({ state, follow: false, subject: 'controller', signal }))
    if (event.type === 'commit.seen' && event.commit === commit) return event;
  return undefined;
}

async function observe(runtime: string, token: string): Promise<RuntimeObservation> {
  const response = await fetch(runtime + OBSERVATION_PATH, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  return RuntimeObservation.parse(await response.json());
}

async function settled(version: string, state: string, signal: AbortSignal): Promise<void> {
  const until = performance.now() + SETTLED_MS;
  while (performance.now() < until) {
    const { environments, operations } = await status({ state, signal });
    const deployments = environments.flatMap(environment => environment.deployments);
    const isSettled = deployments.every(
      deployment => deployment.version === version && deployment.phase === 'steady',
    );
    if (deployments.length > 0 && isSettled && operations.length === 0) return;
    await delay(LOOK_MS, undefined, { signal });
  }
  throw new Error(`version ${version} had not baked after ${SETTLED_MS / 1000} s`);
}
