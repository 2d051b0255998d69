import { expect } from 'vitest';
import type { SeenCommit } from '../../demo/observer/git-watch.ts';
import type { Observer } from '../../demo/observer/observer.ts';
import { MODEL } from './model-folder.fixture.ts';
import { type EnvironmentLabel, on, PATIENCE_MS, type World } from './world.fixture.ts';

export const STABLE = '1.0.0';
export const GOOD = '1.1.0';
export const BAD = '1.2.0';
export const FIXED = '1.2.1';

/** Where in the story something is done to the world. */
export type Point =
  | 'dev starts to serve'
  | 'canary begins'
  | 'mid canary'
  | 'found degraded'
  | 'traffic back, revert not pushed'
  | 'reverted';

/** A good version reaches prod, a bad one leaves it again, a fixed one goes through; `at` each point something is done. */
export async function tellStory(world: World, at: (point: Point) => Promise<void>): Promise<SeenCommit> {
  const { observer, proxy } = world;
  await world.register('better', GOOD);
  await at('dev starts to serve');
  await answered(observer, 'prod', GOOD);
  await at('canary begins');
  await observer.event(`${GOOD} stepped`, on('prod', 'rollout.stepped', GOOD), PATIENCE_MS);
  await at('mid canary');
  await observer.event(`${GOOD} baked in prod`, on('prod', 'rollout.baked', GOOD), PATIENCE_MS);

  await world.register('nan', BAD);
  await answered(observer, 'prod', BAD);
  proxy.weather('refuse');
  await observer.event(`a verdict on ${BAD}`, on('prod', 'verdict.degraded', BAD), PATIENCE_MS);
  await at('found degraded');
  await observer.event('traffic moved', isRollback('operation.moved'), PATIENCE_MS);
  await left(observer, BAD);
  await at('traffic back, revert not pushed');
  expect(reverts(observer)).toHaveLength(0);
  proxy.weather('pass');
  const revert = await observer.commit('the revert', isRevert, PATIENCE_MS);
  await at('reverted');

  await world.register('fixed', FIXED);
  await observer.event(`${FIXED} baked in prod`, on('prod', 'rollout.baked', FIXED), PATIENCE_MS);
  return revert;
}

/** What holds at the end of every story, whatever was done to the world meanwhile. */
export async function expectStoryTold(world: World, revert: SeenCommit): Promise<void> {
  const { observer } = world;
  expect(reverts(observer)).toEqual([revert]);
  expect(revert.files.toSorted()).toEqual([
    `A environments/prod/${MODEL}/holds/${BAD}.yaml`,
    `M environments/prod/${MODEL}/release.yaml`,
  ]);
  expect(revert.body).toContain('This reverts commit');
  expect(twice(observer.commits.map(({ body }) => body))).toEqual([]);
  const records = await world.person.records();
  expect(twice(records)).toEqual([]);
  expect(records.filter(body => body.startsWith(`prod/${MODEL}: ${BAD} `))).toHaveLength(1);
  const again = observer.answers.of('prod', MODEL, BAD).filter(({ sentAt }) => sentAt > revert.seenAtMs);
  expect(again, `${BAD} was served after its revert`).toEqual([]);
  const { environments } = await world.life.status();
  const prod = environments.find(({ name }) => name === 'prod')?.deployments[0];
  expect(prod?.backends.map(({ version, weight, state }) => ({ version, weight, state }))).toEqual([
    { version: FIXED, weight: 100, state: 'ready' },
  ]);
}

export const isRevert = ({ subject }: SeenCommit): boolean => subject.startsWith(`prod/${MODEL}: back to `);

export const reverts = ({ commits }: Observer): SeenCommit[] => commits.filter(isRevert);

/** Bodies of commits that carry out an operation which another commit had carried out already. */
export function twice(bodies: readonly string[]): string[] {
  const seen = new Set<string>();
  return bodies.filter(body => {
    const operation = /^Switchback-Operation: (\S+)$/m.exec(body)?.[1];
    const isSecond = operation !== undefined && seen.has(operation);
    if (operation !== undefined) seen.add(operation);
    return isSecond;
  });
}

export const isRollback =
  (type: string) =>
  (event: { type: string; data: Record<string, unknown> }): boolean =>
    event.type === type && event.data['kind'] === 'rollback';

/** The first answer that comes from now on. */
export function answered(observer: Observer, environment: EnvironmentLabel, version: string) {
  return observer.answers.next(
    `${version} in ${environment}`,
    answer => answer.environment === environment && answer.version === version && answer.status === 200,
    PATIENCE_MS,
  );
}

/** Once so many answers of prod in a row came from others that at a first step's weight it can't be chance. */
function left(observer: Observer, version: string) {
  const isLeft = (): boolean => {
    const last = observer.answers.of('prod', MODEL).slice(-100);
    return last.every(answer => answer.version !== version);
  };
  return observer.answers.next(`prod without ${version}`, isLeft, PATIENCE_MS);
}
