import type { Status } from '@switchback-ml/schemas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIRST_WEIGHT } from './model-folder.fixture.ts';
import { answered, BAD, GOOD, isRevert, isRollback, twice } from './story.fixture.ts';
import { on, PATIENCE_MS, World } from './world.fixture.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 120_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

test('a state directory lost in the middle of a canary starts that canary again, and gives it no more before', {
  timeout: 120_000,
}, async () => {
  await world.register('better', GOOD);
  await world.observer.event(`${GOOD} stepped`, on('prod', 'rollout.stepped', GOOD), PATIENCE_MS);

  await world.forget();
  await world.up();
  const weights = watchWeights(GOOD);
  const stepped = await world.observer.event('a step', on('prod', 'rollout.stepped', GOOD), PATIENCE_MS);
  const before = await weights.until(stepped.at);
  await world.observer.event(`${GOOD} baked`, on('prod', 'rollout.baked', GOOD), PATIENCE_MS);

  expect(Math.max(...before.weights)).toBe(FIRST_WEIGHT);
  expect(before.share).toBeLessThan((FIRST_WEIGHT + 10) / 100);
});

test('a state directory lost in the middle of a rollback does not lose the rollback', {
  timeout: 120_000,
}, async () => {
  await world.register('nan', BAD);
  await answered(world.observer, 'prod', BAD);
  world.proxy.weather('refuse');
  await world.observer.event('traffic back', isRollback('operation.moved'), PATIENCE_MS);
  expect(world.observer.commits.some(isRevert)).toBe(false);

  await world.forget();
  world.proxy.weather('pass');
  await world.up();
  const weights = watchWeights(BAD);
  const revert = await world.observer.commit('the revert', isRevert, PATIENCE_MS);
  const before = await weights.until(Date.now());
  await world.observer.event('its end', isRollback('operation.done'), PATIENCE_MS);

  expect(Math.max(...before.weights)).toBeLessThanOrEqual(FIRST_WEIGHT);
  expect(before.share).toBeLessThan((FIRST_WEIGHT + 10) / 100);
  expect(revert.files.toSorted()).toEqual([
    `A environments/prod/screening/holds/${BAD}.yaml`,
    'M environments/prod/screening/release.yaml',
  ]);
  expect(world.observer.commits.filter(isRevert)).toEqual([revert]);
  expect(twice(world.observer.commits.map(({ body }) => body))).toEqual([]);
  expect(await world.stop()).toEqual([]);
});

/** What the status says of a version's weight in prod, asked again and again, and its share of the answers. */
function watchWeights(version: string) {
  const weights: number[] = [];
  const { life, observer } = world;
  let isOver = false;
  const looking = look();

  async function look(): Promise<void> {
    while (!isOver) {
      const now: Status = await life.status();
      const prod = now.environments.find(({ name }) => name === 'prod')?.deployments[0];
      weights.push(prod?.backends.find(backend => backend.version === version)?.weight ?? 0);
    }
  }
  return {
    async until(at: number) {
      isOver = true;
      await looking;
      const all = observer.answers.of('prod', 'screening').filter(({ sentAt }) => sentAt < at);
      const own = all.filter(answer => answer.version === version);
      return { weights: weights.slice(0, -1), share: own.length / all.length };
    },
  };
}
