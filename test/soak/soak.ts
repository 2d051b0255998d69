import { rm } from 'node:fs/promises';
import { Chronicle } from '../faults/world/chronicle.ts';
import { ENVIRONMENTS, MODELS } from './example.ts';
import { brokenInGit } from './git-rules.ts';
import type { Ground } from './ground.ts';
import type { Seen } from './judge/figures.ts';
import type { Options } from './options.ts';
import { SoakPlace } from './place.ts';
import { makePlan, type Turn } from './plan.ts';
import { leftovers, settle } from './rest.ts';
import { servicesOf } from './services.ts';
import { playTurns, type Told } from './turns.ts';
import { found, pause } from './wait.ts';
import { CommitWatch } from './watch/commits.ts';
import { Traffic } from './watch/traffic.ts';
import { Watch } from './watch/watch.ts';

const BAKED_WITHIN_MS = 5 * 60_000;
/** Up to here answers are counted by shorter stretches, so that a short soak has a course at all. */
const SHORT_MS = 30 * 60_000;

export interface SoakOptions extends Omit<Options, 'out' | 'isJson'> {
  /** Ends it in order. */
  signal: AbortSignal;
  tell: (words: string) => void;
}

export interface Soaked extends AsyncDisposable {
  seen: Seen;
  /** What everything has written; removed when this is disposed. */
  directory: string;
}

/** The example under requests, changes and faults for as long as was said; everything has ended when it resolves. */
export async function soak(options: SoakOptions): Promise<Soaked> {
  options.tell('starting five models in three environments …');
  const place = await SoakPlace.open();
  const { directory } = place;
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const commits = new CommitWatch(place.bare);
    const course = await watchCourse(place, commits, options);
    options.tell('ending everything …');
    await place.stop();
    const left = await leftovers(place);
    const seen = { ...course, left, brokenInGit: await brokenInGit(commits) };
    return { seen, directory, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await place.stop();
    await leftovers(place);
    await remove();
    throw error;
  }
}

/** From the first request to the last, and what was seen meanwhile. */
async function watchCourse(
  place: SoakPlace,
  commits: CommitWatch,
  options: SoakOptions,
): Promise<Omit<Seen, 'left' | 'brokenInGit'>> {
  const { signal, forMs, seed, perSecond } = options;
  const token = await place.secret('operator-token');
  await using chronicle = new Chronicle({ address: (await place.status()).address, token });
  const services = await servicesOf(place, perSecond);
  const stretchMs = forMs <= SHORT_MS ? 10_000 : 60_000;
  const plan = makePlan(options);
  const deeds: Told[] = [];
  await using watch = new Watch(place, commits);
  await using traffic = new Traffic(services, { stretchMs, signal });
  const ground: Ground = { place, chronicle, commits, traffic, signal };
  const unsettled = await live(ground, plan, deeds, options);
  await traffic[Symbol.asyncDispose]();
  const endedAt = Date.now();
  await watch[Symbol.asyncDispose]();
  return {
    ...{ startedAt: traffic.startedAt, endedAt, forMs, stretchMs, seed, perSecond },
    isInterrupted: signal.aborted,
    ...{ requests: traffic.requests, failed: traffic.failed, failures: traffic.failures },
    ...{ excuses: traffic.excuses, cells: traffic.cells },
    badVersions: badVersionsOf(plan),
    deeds: deeds.toSorted((a, b) => a.atMs - b.atMs),
    ...{ unsettled, processes: watch.processes.lives, growth: watch.growth },
    ...{ divergences: watch.control.divergences, events: [...chronicle.events] },
  };
}

/** Until all is played and at rest again; why it is not, in words. */
async function live(
  ground: Ground,
  plan: readonly Turn[],
  deeds: Told[],
  { tell, forMs }: SoakOptions,
): Promise<string[]> {
  const { traffic, signal } = ground;
  const counts = (): string =>
    `${traffic.requests.toLocaleString('en-US')} requests, ${traffic.failed.toLocaleString('en-US')} failed`;
  try {
    await allBaked(ground);
    tell(`everything serves and has baked · ${plan.length} turns follow`);
    await playTurns({
      ground,
      plan,
      startedAt: Date.now(),
      forMs,
      onBegin: what => tell(`${what} …`),
      onTold: told => {
        deeds.push(told);
        const isGood = told.outcome === 'proven';
        tell(`${isGood ? 'ok' : told.outcome.toUpperCase()}: ${told.what}: ${told.words} · ${counts()}`);
      },
    });
    await pause(Math.max(0, traffic.startedAt + forMs - Date.now()), signal);
    if (signal.aborted) return [];
    tell('waiting for everything to settle …');
    const why = await settle(ground);
    // Whoever ends the soak ends what it waited for as well.
    return signal.aborted ? [] : why;
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}

async function allBaked({ chronicle, signal }: Ground): Promise<void> {
  const subjects = ENVIRONMENTS.flatMap(environment => MODELS.map(model => `${environment}/${model}`));
  await found('every model to bake everywhere', BAKED_WITHIN_MS, signal, () => {
    const baked = chronicle.events.filter(({ type }) => type === 'rollout.baked');
    return subjects.every(subject => baked.some(event => event.subject === subject)) ? true : null;
  });
}

function badVersionsOf(plan: readonly Turn[]): Set<string> {
  return new Set(
    plan.flatMap(({ change }) => (change.kind === 'bad' ? [`${change.model} ${change.version}`] : [])),
  );
}
