import { expect, test } from 'vitest';
import { rollbackFacts } from '../../demo/observer/facts.ts';
import { MODEL } from './model-folder.fixture.ts';
import { answered, BAD, isRevert } from './story.fixture.ts';
import { on, PATIENCE_MS, World } from './world.fixture.ts';

test('a remote that swallows everything and a hung sibling delay no rollback', {
  timeout: 240_000,
}, async () => {
  await using world = await World.open();
  const { observer, proxy } = world;
  await world.register('nan', BAD);
  await answered(observer, 'prod', BAD);

  proxy.weather('swallow');
  process.kill(await world.life.front('staging'), 'SIGSTOP');
  const verdict = await observer.event('a verdict', on('prod', 'verdict.degraded', BAD), PATIENCE_MS);
  const after = verdict.at + 1000;
  await observer.answers.next(
    'an answer a second later',
    ({ environment, sentAt }) => environment === 'prod' && sentAt > after,
    PATIENCE_MS,
  );
  expect(observer.commits.some(isRevert)).toBe(false);
  proxy.weather('pass');
  const revert = await observer.commit('the revert', isRevert, 90_000);

  const bad = { environment: 'prod', model: MODEL, version: BAD };
  const facts = rollbackFacts(observer, bad, verdict.at, revert.seenAtMs);
  expect(facts.verdictToTrafficBackMs).toBeLessThan(1000);
  expect(observer.answers.failed().filter(({ environment }) => environment !== 'staging')).toEqual([]);
  expect(await world.stop()).toEqual([]);
});
