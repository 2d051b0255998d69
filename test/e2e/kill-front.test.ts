import { expect, test } from 'vitest';
import type { Judged } from '../../demo/observer/answers.ts';
import { expectStoryTold, type Point, tellStory } from './story.fixture.ts';
import { type EnvironmentLabel, PATIENCE_MS, World } from './world.fixture.ts';

/** Where each point's victim serves. */
const PLACES: Readonly<Record<Point, EnvironmentLabel>> = {
  'dev starts to serve': 'dev',
  'canary begins': 'prod',
  'mid canary': 'prod',
  'found degraded': 'prod',
  'traffic back, revert not pushed': 'prod',
  reverted: 'staging',
};

interface Outage {
  environment: EnvironmentLabel;
  from: number;
  until: number;
}

test('a front that is killed at six points costs what was asked of it meanwhile, and nothing else', {
  timeout: 240_000,
}, async () => {
  await using world = await World.open();
  const outages: Outage[] = [];

  const revert = await tellStory(world, async point => {
    const environment = PLACES[point];
    const from = Date.now();
    world.processes.kill(await world.life.front(environment));
    await firstOf(world, environment, ({ status }) => status !== 200);
    const back = await firstOf(world, environment, ({ status }) => status === 200);
    outages.push({ environment, from, until: back.atMs });
  });

  await expectStoryTold(world, revert);
  const failed = world.observer.answers.failed();
  expect(failed.filter(answer => !outages.some(outage => isWithin(outage, answer)))).toEqual([]);
  expect(outages).toHaveLength(6);
  expect(await world.stop()).toEqual([]);
});

function firstOf(world: World, environment: EnvironmentLabel, fits: (answer: Judged) => boolean) {
  const isIt = (answer: Judged): boolean => answer.environment === environment && fits(answer);
  return world.observer.answers.next(`an answer of ${environment}`, isIt, PATIENCE_MS);
}

/** Answers that were under way when the front was back may still tell of the outage. */
function isWithin({ environment, from, until }: Outage, answer: Judged): boolean {
  return answer.environment === environment && answer.atMs >= from && answer.sentAt <= until;
}
