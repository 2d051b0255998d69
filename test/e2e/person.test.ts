import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SeenCommit } from '../../demo/observer/git-watch.ts';
import { MODEL } from './model-folder.fixture.ts';
import { answered, isRevert, isRollback, STABLE, twice } from './story.fixture.ts';
import { on, PATIENCE_MS, World } from './world.fixture.ts';

const RELEASE = `environments/prod/${MODEL}/release.yaml`;
const holdOf = (version: string): string => `environments/prod/${MODEL}/holds/${version}.yaml`;

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 120_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

test("a person's revert in the middle of a canary takes the traffic back, and automation obeys", {
  timeout: 120_000,
}, async () => {
  const { observer, person } = world;
  await world.register('better', '1.1.0');
  const promotion = await promoted('1.1.0');
  await answered(observer, 'prod', '1.1.0');

  await person.revert(promotion.sha);
  const left = await observer.event('its end', on('prod', 'rollout.superseded'), PATIENCE_MS);
  await world.register('fixed', '1.1.1');
  await observer.event('1.1.1 baked', on('prod', 'rollout.baked', '1.1.1'), PATIENCE_MS);

  const again = observer.answers.of('prod', MODEL, '1.1.0').filter(({ sentAt }) => sentAt > left.at + 1000);
  expect(again).toEqual([]);
  expect(observer.commits.filter(isPromotion('1.1.0'))).toEqual([promotion]);
  expect(observer.events.filter(on('prod', 'verdict.degraded', '1.1.0'))).toEqual([]);
});

test("a person's revert during an open rollback leaves the hold alone to be written", {
  timeout: 120_000,
}, async () => {
  const { observer, person, proxy } = world;
  await world.register('nan', '1.2.0');
  const promotion = await promoted('1.2.0');
  await answered(observer, 'prod', '1.2.0');
  proxy.weather('refuse');
  await observer.event('traffic back', isRollback('operation.moved'), PATIENCE_MS);

  const revert = await person.revert(promotion.sha);
  proxy.weather('pass');
  await observer.event('its end', isRollback('operation.done'), PATIENCE_MS);
  const hold = await observer.commit(
    'the hold',
    ({ files }) => files.includes(`A ${holdOf('1.2.0')}`),
    PATIENCE_MS,
  );

  expect(hold.files).toEqual([`A ${holdOf('1.2.0')}`]);
  const since = observer.commits.slice(observer.commits.indexOf(promotion));
  expect(since.filter(({ files }) => files.includes(`M ${RELEASE}`)).map(({ sha }) => sha)).toEqual([
    promotion.sha,
    revert,
  ]);
  expect(observer.commits.filter(isRevert)).toEqual([]);
});

test("a person's revert of our revert lifts the hold and brings the version back", {
  timeout: 120_000,
}, async () => {
  const { observer, person } = world;
  // Another tolerance is another digest, so that the hold on 1.2.0 does not hold it.
  await world.register('nan', '1.3.0', 0.000_02);
  const ours = await observer.commit('our revert', isRevert, PATIENCE_MS);
  expect(ours.files.toSorted()).toEqual([`A ${holdOf('1.3.0')}`, `M ${RELEASE}`]);

  await person.revert(ours.sha);
  expect(await person.read(holdOf('1.3.0'))).toBeNull();
  const back = await answered(observer, 'prod', '1.3.0');
  const second = await observer.commit(
    'a revert',
    commit => isRevert(commit) && commit !== ours,
    PATIENCE_MS,
  );

  expect(back.sentAt).toBeGreaterThan(ours.seenAtMs);
  expect(await person.read(holdOf('1.3.0'))).toContain('candidateBad');
  expect(second.subject).toContain('back to 1.1.1');
  expect(twice(observer.commits.map(({ body }) => body))).toEqual([]);
  expect(observer.answers.failed()).toEqual([]);
  expect(observer.answers.of('prod', MODEL, STABLE).length).toBeGreaterThan(0);
  expect(await world.stop()).toEqual([]);
});

const isPromotion =
  (version: string) =>
  ({ subject }: SeenCommit): boolean =>
    subject === `prod/${MODEL}: promote ${version}`;

function promoted(version: string): Promise<SeenCommit> {
  return world.observer.commit(`the promotion of ${version}`, isPromotion(version), PATIENCE_MS);
}
