import { readdir } from 'node:fs/promises';
import { OBSERVATION_PATH, RuntimeObservation } from '@switchback-ml/schemas';
import type { Judged } from '../../../demo/observer/answers.ts';
import { excuse, type Outage, type Round, violate } from '../round.ts';
import type { Point } from '../story/story.ts';
import { ENVIRONMENTS, STABLE } from '../world/model-folder.ts';
import { pause, until } from '../world/until.ts';
import { bySeed, type Fault, type Scenario } from './scenario.ts';

const GONE_WITHIN_MS = 20_000;
const BACK_WITHIN_MS = 60_000;
const STOPPED_MS = 5000;

/** Processes other than the controller die, at another point of the story by seed. */
export const deaths: readonly Scenario[] = [
  {
    name: 'front killed',
    fault: seed => {
      const [point, environment] = bySeed<[Point, string]>(seed, [
        ['canary', 'prod'],
        ['released', 'staging'],
        ['moved', 'prod'],
      ]);
      return at(point, async round => {
        excuse(round, environment);
        round.world.processes.kill(await round.world.front(environment));
      });
    },
  },
  {
    name: 'front asked to stop',
    fault: seed => drained(bySeed<Point>(seed, ['canary', 'begun', 'moved'])),
  },
  {
    name: 'engine killed',
    fault: seed => {
      const point = bySeed<Point>(seed, ['canary', 'begun', 'moved']);
      return at(point, async round => round.world.processes.kill(await engine(round, 'prod', STABLE)));
    },
  },
  {
    name: 'up killed',
    fault: seed =>
      at(bySeed<Point>(seed, ['canary', 'released', 'found bad']), async round => {
        const { world } = round;
        const controller = await world.controller();
        world.processes.kill(world.life.pid);
        await world.life.over();
        const isAlive = async (): Promise<boolean> =>
          (await world.processes.living()).some(({ pid }) => pid === controller);
        if (!(await until(GONE_WITHIN_MS, async () => !(await isAlive()))))
          violate(round, 'no orphan', 'a controller without its up ends', 'it lives on');
        await world.up();
      }),
  },
  {
    name: 'up asked to stop',
    fault: seed => at(bySeed<Point>(seed, ['canary', 'released', 'found bad']), stopUp),
  },
  {
    name: 'power loss',
    fault: seed =>
      at(bySeed<Point>(seed, ['canary', 'released', 'found bad']), async round => {
        await losePower(round);
        await round.world.up();
      }),
  },
  {
    name: 'runtime stopped for 5 s',
    fault: seed =>
      stopped(
        ...bySeed<[Point, string]>(seed, [
          ['released', 'staging'],
          ['canary', 'prod'],
          ['begun', 'prod'],
        ]),
      ),
  },
];

function at(point: Point, act: (round: Round) => Promise<void>): Fault {
  return { at: { [point]: act } };
}

/** What it has accepted it answers; another takes its place. */
function drained(point: Point): Fault {
  let toldMs = 0;
  return {
    at: {
      [point]: async (round: Round) => {
        const pid = await round.world.front('prod');
        toldMs = Date.now();
        round.world.processes.signal('SIGTERM', pid);
        round.meanwhile.push(another(round, 'prod', pid));
      },
    },
    judge: async round => {
      const { answers } = round.world.services;
      const lost = answers.failed().filter(({ environment, sentAt, atMs }) => {
        const isAboard = sentAt < toldMs && atMs >= toldMs;
        return environment === 'prod' && isAboard;
      });
      if (toldMs === 0 || lost.length > 0)
        violate(round, 'drains', 'every request aboard is answered', `${lost.length} were lost`);
    },
  };
}

/** While it drains some are answered and some are not, so an answer does not end the outage: one of the next does. */
async function another({ world, outages }: Round, environment: string, pid: number): Promise<void> {
  const outage: Outage = { environment, fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY };
  outages.push(outage);
  const frontNow = (): Promise<number> => world.front(environment).catch(() => pid);
  if (!(await until(BACK_WITHIN_MS, async () => (await frontNow()) !== pid))) return;
  const isBack = (answer: Judged): boolean => answer.environment === environment && answer.status === 200;
  const { atMs } = await world.services.answers.next('an answer of the next front', isBack, BACK_WITHIN_MS);
  outage.untilMs = atMs;
}

/** Everything ends that was started, and leaves nothing but what it will go on with. */
async function stopUp(round: Round): Promise<void> {
  const { world } = round;
  for (const environment of Object.keys(ENVIRONMENTS))
    round.meanwhile.push(another(round, environment, await world.front(environment)));
  await world.life.stop();
  const left = (await world.processes.living()).map(({ words }) => words);
  if (left.length > 0) violate(round, 'no orphan', 'nobody outlives up', left.join('; '));
  const kept = (await readdir(world.state)).filter(name => /^(?:up|controller)\.json/.test(name));
  if (kept.length > 0) violate(round, 'nothing left over', 'nothing says that it runs', kept.join(', '));
  await world.up();
}

/** Every process of the world, at once. The remote is another machine. */
export async function losePower(round: Round): Promise<void> {
  const { world } = round;
  for (const environment of Object.keys(ENVIRONMENTS)) excuse(round, environment);
  // From the top, so that nobody is there to start another.
  world.processes.kill(world.life.pid, ...(await world.processes.living()).map(({ pid }) => pid));
  await world.life.over();
  const isDark = await until(GONE_WITHIN_MS, async () => {
    const living = await world.processes.living();
    world.processes.kill(...living.map(({ pid }) => pid));
    return living.length === 0;
  });
  if (!isDark) throw new Error('something survived the loss of power');
}

/** Silence is neither health nor a breach: nothing goes forward in that environment, and nothing back. */
function stopped(point: Point, environment: string): Fault {
  let silence: { fromMs: number; untilMs: number } | null = null;
  return {
    at: {
      [point]: async (round: Round) => {
        const { world } = round;
        const pid = await world.front(environment);
        world.processes.signal('SIGSTOP', pid);
        const fromMs = Date.now();
        await pause(STOPPED_MS);
        silence = { fromMs, untilMs: Date.now() };
        // Aboard of it, time is up for some; one that was taken for hung has been killed meanwhile.
        excuse(round, environment, fromMs);
        world.processes.signal('SIGCONT', pid);
      },
    },
    judge: async round => {
      const { fromMs, untilMs } = silence ?? { fromMs: 0, untilMs: 0 };
      const decided = round.world.chronicle.events.filter(
        ({ at, type, subject }) =>
          subject.startsWith(`${environment}/`) &&
          /^(?:verdict\.degraded|rollout\.(?:stepped|promoted|baked|halted))$/.test(type) &&
          // What was counted before the silence may be told in it.
          at > fromMs + 1000 &&
          at < untilMs,
      );
      for (const { type } of decided)
        violate(round, 'no data decides nothing', `nothing about ${environment} in its silence`, type);
    },
  };
}

async function engine({ world }: Round, environment: string, version: string): Promise<number> {
  const { environments } = await world.status();
  const address = environments.find(({ name }) => name === environment)?.address;
  const response = await fetch(`${address}${OBSERVATION_PATH}`, {
    headers: { authorization: `Bearer ${await world.secret('runtime-token')}` },
    signal: AbortSignal.timeout(5000),
  });
  const { loaded } = RuntimeObservation.parse(await response.json());
  const pid = loaded.find(each => each.version === version)?.pid;
  if (pid === undefined) throw new Error(`${version} has no engine in ${environment}`);
  return pid;
}
