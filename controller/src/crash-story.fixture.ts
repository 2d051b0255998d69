import type { CommitSha, Event } from '@switchback-ml/schemas';
import { expect } from 'vitest';
import { environmentFile, releaseFile, versionFiles } from './desired/manifest.fixture.ts';
import { LEASE_MS, Loop } from './loop.fixture.ts';
import { trailer } from './proposal/message.ts';

const OBJECTIVES = { available: { target: '99%', breach: 'rollback' } };
const FIRST_WEIGHT = 10;
const canary = {
  steps: [{ weight: FIRST_WEIGHT, for: '10s', requests: 100 }],
  undecided: { after: '1h', then: 'page' },
};
const bake = { for: '5s', requests: 50 };
const FILES = {
  ...environmentFile('staging', { promotion: { by: 'person' }, defaults: { rollout: { bake } } }),
  ...environmentFile('prod', {
    promotesFrom: 'staging',
    defaults: { objectives: OBJECTIVES, rollout: { canary, bake } },
  }),
  ...versionFiles('fraud', '1.0.0'),
  ...releaseFile('staging', 'fraud', '1.0.0'),
  ...releaseFile('prod', 'fraud', '1.0.0'),
};
const HOLD = 'environments/prod/fraud/holds/1.1.0.yaml';
const MOST_PASSES = 400;

/** A loop in which 1.0.0 is last good everywhere. */
export async function calmLoop(): Promise<Loop> {
  const loop = await Loop.open();
  await loop.commit(FILES, 'first');
  await passUntil(loop, () => ['staging', 'prod'].every(name => isBaked(loop, name, '1.0.0')));
  await passUntil(loop, () => loop.state.open.list().length === 0);
  return loop;
}

/**
 * A person releases 1.1.0 to staging; it bakes there, is promoted to prod, fails there, is rolled back and held.
 * A life that ends on the way is followed by another.
 */
export async function tellCrashStory(loop: Loop): Promise<void> {
  await loop.push(
    { ...versionFiles('fraud', '1.1.0'), ...releaseFile('staging', 'fraud', '1.1.0') },
    'release 1.1.0 to staging',
  );
  await passUntil(loop, async () => {
    const events = await loop.events();
    const rolledBack = events.some(
      ({ type, data }) => type === 'operation.done' && data['kind'] === 'rollback',
    );
    return (
      rolledBack &&
      loop.state.open.list().length === 0 &&
      loop.state.rollouts.get('prod/fraud')?.candidate === null
    );
  });
}

/** What holds at the end, wherever a life was cut off. */
export async function expectStoryTold(loop: Loop): Promise<void> {
  expect(loop.weights('prod')).toEqual({ '1.0.0': 100 });
  const branch = await entries(loop, 'refs/heads/main');
  expect(branch.map(({ subject }) => subject)).toEqual([
    'first',
    'release 1.1.0 to staging',
    'prod/fraud: promote 1.1.0',
    expect.stringContaining('prod/fraud: back to 1.0.0'),
  ]);
  expect(
    branch
      .at(-1)
      ?.changes.map(({ path }) => path)
      .toSorted(),
  ).toEqual([HOLD, 'environments/prod/fraud/release.yaml']);
  const records = await entries(loop, 'refs/switchback/history');
  expect(records.map(({ subject }) => subject).toSorted()).toEqual([
    'prod/fraud: 1.0.0 baked',
    'prod/fraud: 1.1.0 rolled back',
    'staging/fraud: 1.0.0 baked',
    'staging/fraud: 1.1.0 baked',
  ]);
  const operations = [...branch, ...records].flatMap(({ body }) => trailer(body, 'Operation') ?? []);
  expect(new Set(operations).size).toBe(operations.length);
  expectEventsComplete(await loop.events());
}

/** Each operation began once, ended once, and went its way in order. */
function expectEventsComplete(events: readonly Event[]): void {
  const ways = new Map<string, string[]>();
  for (const { operation, type } of events)
    if (operation !== undefined) ways.set(operation, [...(ways.get(operation) ?? []), type]);
  expect(ways.size).toBe(6);
  const lawful = [
    ['operation.intended', 'operation.done'],
    ['operation.intended', 'operation.pushed', 'operation.done'],
    ['operation.intended', 'operation.moved', 'operation.pushed', 'operation.done'],
  ];
  for (const way of ways.values()) expect(lawful).toContainEqual(way);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
}

/** Time and traffic pass until it holds; after every pass, what must hold at any time is looked at. */
async function passUntil(loop: Loop, holds: () => boolean | Promise<boolean>): Promise<void> {
  let hasMovedBack = false;
  let head: CommitSha | null = null;
  const former: Former = [];
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    await succeed(loop, former);
    serveAll(loop);
    await loop.pass(1000);
    for (let turn = 0; turn < 20; turn++) {
      loop.watch.nudge();
      await new Promise(resolve => setImmediate(resolve));
    }
    hasMovedBack ||= (await loop.events()).some(({ type }) => type === 'operation.moved');
    expectServedLawfully(loop, hasMovedBack);
    head = await expectFastForward(loop, head);
    const isAlive = !loop.life.isOver && !loop.life.isStalled;
    if (isAlive && former.length === 0 && (await holds())) return;
  }
  const open = loop.state.open.list().map(({ kind, state }) => `${kind} ${state}`);
  throw new Error(`the story did not end: ${JSON.stringify([loop.weights(), open])}`);
}

/** Stalled lives, and how many more passes they stay so. */
type Former = { life: Loop['life']; passes: number }[];

/** After a life that ended comes the next; after one that stalled, another one takes over once the lease is out. */
async function succeed(loop: Loop, former: Former): Promise<void> {
  for (const stalled of former.splice(0)) {
    if (stalled.passes > 0) former.push({ ...stalled, passes: stalled.passes - 1 });
    else await wake(stalled.life);
  }
  if (loop.life.isStalled) {
    former.push({ life: loop.life, passes: 3 });
    loop.now += LEASE_MS;
    await loop.live('second');
  } else if (loop.life.isOver) {
    await loop.life[Symbol.asyncDispose]();
    await loop.live(loop.holder);
  }
}

/** It goes on where it stood, and finds out that nobody listens any more. */
async function wake(life: Loop['life']): Promise<void> {
  life.release();
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve));
  await life[Symbol.asyncDispose]();
}

/** By weight, a hundred requests an environment; 1.1.0 fails on most of them in prod. */
function serveAll(loop: Loop): void {
  for (const environment of ['staging', 'prod'])
    for (const [version, weight] of Object.entries(loop.weights(environment)))
      if (weight > 0)
        loop.serve(
          version,
          weight,
          environment === 'prod' && version === '1.1.0' ? weight - 1 : 0,
          environment,
        );
}

function expectServedLawfully(loop: Loop, hasMovedBack: boolean): void {
  const weights = loop.weights('prod');
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  if (loop.snapshot('prod')) expect(total).toBe(100);
  const bad = weights['1.1.0'] ?? 0;
  expect(bad, 'the share of a version that has not baked').toBeLessThanOrEqual(
    hasMovedBack ? 0 : FIRST_WEIGHT,
  );
}

async function expectFastForward(loop: Loop, before: CommitSha | null): Promise<CommitSha | null> {
  const now = loop.remote.refs.get('refs/heads/main') ?? null;
  if (before === null || now === null || before === now) return now;
  const signal = AbortSignal.timeout(5000);
  expect(await loop.repository.isAncestor(before, now, signal), 'the branch only goes forward').toBe(true);
  return now;
}

function isBaked(loop: Loop, environment: string, version: string): boolean {
  const state = loop.state.rollouts.get(`${environment}/fraud`);
  return state?.candidate === null && state.stable?.version === version;
}

async function entries(loop: Loop, ref: string) {
  const signal = AbortSignal.timeout(5000);
  const head = await loop.repository.fetch(ref, signal);
  return head.kind === 'commit' ? loop.repository.history(null, head.commit, signal) : [];
}
