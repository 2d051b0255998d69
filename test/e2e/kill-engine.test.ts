import { expect, test } from 'vitest';
import { expectStoryTold, GOOD, type Point, STABLE, tellStory } from './story.fixture.ts';
import { type EnvironmentLabel, World } from './world.fixture.ts';

/** Whose engine is killed at each point. */
const VICTIMS: Readonly<Record<Point, readonly [EnvironmentLabel, string]>> = {
  'dev starts to serve': ['dev', STABLE],
  'canary begins': ['prod', GOOD],
  'mid canary': ['prod', STABLE],
  // The very one that all traffic falls back on; the bad one's leaves within milliseconds.
  'found degraded': ['prod', GOOD],
  'traffic back, revert not pushed': ['prod', GOOD],
  reverted: ['prod', GOOD],
};

test('an engine that is killed at six points costs nobody an answer', { timeout: 240_000 }, async () => {
  await using world = await World.open();
  const killed = new Set<number>();

  const revert = await tellStory(world, async point => {
    const [environment, version] = VICTIMS[point];
    const pid = await world.life.engine(environment, version);
    if (pid === null) throw new Error(`${version} has no engine in ${environment}`);
    killed.add(pid);
    world.processes.kill(pid);
  });

  await expectStoryTold(world, revert);
  expect(killed.size).toBe(6);
  expect(world.observer.answers.failed()).toEqual([]);
  expect(await world.stop()).toEqual([]);
});
