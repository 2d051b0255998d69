import { expect, test } from 'vitest';
import { expectStoryTold, tellStory } from './story.fixture.ts';
import { World } from './world.fixture.ts';

test('a controller that is killed at six points changes nothing of how the story ends', {
  timeout: 240_000,
}, async () => {
  await using world = await World.open();
  const killed = new Set<number>();

  const revert = await tellStory(world, async () => {
    const pid = await world.controller();
    killed.add(pid);
    world.processes.kill(pid);
  });

  await expectStoryTold(world, revert);
  expect(killed.size).toBe(6);
  expect(world.observer.answers.failed()).toEqual([]);
  expect(await world.stop()).toEqual([]);
});
