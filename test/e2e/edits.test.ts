import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SeenEvent } from '../../demo/observer/event-watch.ts';
import { MODEL } from './model-folder.fixture.ts';
import { GOOD, isRollback, STABLE } from './story.fixture.ts';
import { on, PATIENCE_MS, World } from './world.fixture.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\nkind: Serving\n';
const OVERRIDE = `environments/prod/${MODEL}/serving.yaml`;

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 120_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

test('a setting that breaks answers is canaried, found degraded and reverted like a version', {
  timeout: 120_000,
}, async () => {
  const { observer, person } = world;
  const before = await backends();

  const edit = await person.edit('Answer within a millisecond', {
    [OVERRIDE]: `${HEAD}limits: { timeout: 1ms }\n`,
  });
  const verdict = await observer.event('a verdict', on('prod', 'verdict.degraded', STABLE), PATIENCE_MS);
  const revert = await observer.commit(
    'the revert',
    ({ body }) => body.includes(`This reverts commit ${edit}`),
    PATIENCE_MS,
  );
  await observer.event('its end', isRollback('operation.done'), PATIENCE_MS);

  const [hold, override] = revert.files.toSorted();
  expect(override).toBe(`D ${OVERRIDE}`);
  expect(hold).toMatch(new RegExp(`^A environments/prod/${MODEL}/holds/1.0.0-settings-[0-9a-f]{8}.yaml$`));
  expect(await observer.git.show(revert.sha, hold!.slice(2))).toMatch(/^settings: "sha256:[0-9a-f]{64}"$/m);
  expect(verdict.data['revision']).not.toBe(before[0]?.revision);
  expect(await backends()).toEqual(before);
  expect(observer.answers.failed()).toEqual([]);
});

test.each([
  [
    "the model's settings",
    `models/${MODEL}/serving.yaml`,
    `${HEAD}limits: { memory: 512Mi }\nlimts: { timeout: 1s }\n`,
    'limts',
  ],
  [
    "the environment's settings for it",
    OVERRIDE,
    `${HEAD}limits: { maxBatch: 8 }\nobjectivs: {}\n`,
    'objectivs',
  ],
  [
    'the environment itself',
    'environments/prod/environment.yaml',
    'apiVersion: switchback/v1alpha1\nkind: Environment\ntarget: { local: {} }\npromotion: { by: push }\nmodus: act\n',
    'modus',
  ],
  [
    'the release',
    `environments/prod/${MODEL}/release.yaml`,
    'apiVersion: switchback/v1alpha1\nkind: Release\nversion: "1.0.0"\nverison: "1.0.0"\n',
    'verison',
  ],
])('an unknown field in %s changes nothing that is served, and is named', async (_, path, text, field) => {
  const { observer, person, life } = world;
  const before = await backends();

  const broken = await person.edit(`Break ${path}`, { [path]: text });
  await observer.event('its refusal', isOf('manifest.refused', broken), PATIENCE_MS);
  await steady(broken);
  const { problems } = await life.status();

  expect(problems).toContainEqual(
    expect.objectContaining({
      path,
      line: text.split('\n').findIndex(line => line.includes(field)) + 1,
      field,
    }),
  );
  expect(problems.find(problem => problem.path === path)?.remedy).toMatch(/\w/);
  expect(await backends()).toEqual(before);
  const mended = await person.revert(broken);
  await steady(mended);
  expect((await life.status()).problems).toEqual([]);
  expect(await backends()).toEqual(before);
});

test('the next good commit after broken ones goes through', { timeout: 120_000 }, async () => {
  await world.register('better', GOOD);

  await world.observer.event(`${GOOD} baked`, on('prod', 'rollout.baked', GOOD), PATIENCE_MS);

  expect((await backends()).map(({ version, weight }) => [version, weight])).toEqual([[GOOD, 100]]);
  expect(world.observer.answers.failed()).toEqual([]);
  expect(await world.stop()).toEqual([]);
});

async function backends() {
  const { environments } = await world.life.status();
  return environments.find(({ name }) => name === 'prod')?.deployments[0]?.backends ?? [];
}

/** Once the controller has acted on this commit: what it wants to be served stands in its status then. */
async function steady(commit: string): Promise<void> {
  await world.observer.event(`${commit} seen`, isOf('commit.seen', commit), PATIENCE_MS);
}

const isOf =
  (type: string, commit: string) =>
  (event: SeenEvent & { commit?: string }): boolean =>
    event.type === type && event.commit === commit;
