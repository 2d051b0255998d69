import { describe, expect, test } from 'vitest';
import { NOW, rollbackIn, rolloutWith, stateWith, viewWith } from '../../registry/deployed.fixture.ts';
import { measure } from '../metrics.ts';
import { appOf, worldWith } from '../world.fixture.ts';
import type { ServerWorld } from '../world.ts';

describe('readiness', () => {
  test('is there once the controller leads, has acted on a commit and its ledger answers', async () => {
    expect(await ready({})).toEqual({ status: 200, ready: true, reasons: [] });
  });

  test.each([
    ['another leads', { epoch: () => null }, /another controller leads/],
    ['no cycle has been', { state: stateWith({ head: null }) }, /^no commit has been acted on yet$/],
    [
      'the branch is empty',
      {
        state: stateWith({ head: null }),
        repository: repository({ latest: () => viewWith({ head: null }) }),
      },
      /^branch main has no commit yet$/,
    ],
    [
      'the remote is away from the start',
      {
        state: stateWith({ head: null }),
        repository: repository({
          contact: () => ({ reachedAt: null, failure: { code: 'E_GIT_UNREACHABLE', message: 'no route' } }),
        }),
      },
      /no route/,
    ],
  ] as [string, Partial<ServerWorld>, RegExp][])(
    'is not there and says why when %s',
    async (_, part, reason) => {
      const answer = await ready(part);

      expect(answer).toMatchObject({ status: 503, ready: false });
      expect(answer.reasons).toEqual([expect.stringMatching(reason)]);
    },
  );

  test('stays while a remote is away that was there before: what runs goes on', async () => {
    const contact = { reachedAt: NOW, failure: { code: 'E_GIT_UNREACHABLE', message: 'no route' } };

    expect(await ready({ repository: repository({ contact: () => contact }) })).toMatchObject({
      status: 200,
    });
  });

  test('is gone with the ledger, while the process is still alive', async () => {
    await using world = await worldWith();
    await world.ledger[Symbol.asyncDispose]();
    await using app = appOf(world);

    expect((await app.inject('/readyz')).json()).toMatchObject({
      ready: false,
      reasons: [expect.stringContaining('ledger')],
    });
    expect((await app.inject('/healthz')).json()).toEqual({ alive: true });
  });

  test('does not hang with a ledger that hangs', async () => {
    await using world = await worldWith();
    const hung = { ...world, ledger: { ...world.ledger, events: () => new Promise<never>(() => {}) } };
    await using app = appOf(hung);

    const answering = app.inject('/readyz');
    await expect.poll(() => world.clock.sleeping()).toBe(1);
    world.clock.pass(2000);

    expect((await answering).json()).toMatchObject({ reasons: ['the ledger does not answer'] });
  });
});

describe('metrics', () => {
  test('tell ages, phases, open operations and verdicts under their names', async () => {
    await using world = await worldWith({ state: stateWith({ open: [rollbackIn('moved')] }) });
    const stop = measure(world);
    world.clock.pass(1500);
    await world.tell(
      { type: 'verdict.degraded', subject: 'prod/screening' },
      { type: 'verdict.degraded', subject: 'dev/screening' },
      { type: 'rollout.baked', subject: 'dev/screening' },
    );
    stop();
    await world.tell({ type: 'verdict.page', subject: 'prod/screening' });

    expect(await samples(world)).toMatchObject({
      switchback_repository_age_seconds: 2,
      'switchback_observation_age_seconds{environment="prod"}': 1.5,
      'switchback_rollouts{phase="rolling-back"}': 1,
      'switchback_rollouts{phase="steady"}': 0,
      'switchback_operations_open{kind="rollback"}': 1,
      'switchback_operations_open{kind="promotion"}': 0,
      'switchback_verdicts_total{verdict="degraded"}': 2,
    });
    expect(Object.keys(await samples(world))).not.toContain('switchback_verdicts_total{verdict="page"}');
  });

  test('leave out an age that is not known, and count anew at each look', async () => {
    const contact = () => ({ reachedAt: null, failure: null });
    const state = stateWith();
    await using world = await worldWith({ state, repository: repository({ contact }) });
    measure(world);

    expect(Object.keys(await samples(world))).not.toContain('switchback_repository_age_seconds');
    state.rollouts = new Map([
      ['a', rolloutWith()],
      ['b', rolloutWith()],
    ]);
    expect(await samples(world)).toMatchObject({ 'switchback_rollouts{phase="steady"}': 2 });
    expect(await samples(world)).toMatchObject({ 'switchback_rollouts{phase="steady"}': 2 });
  });
});

function repository(part: Partial<ServerWorld['repository']>): ServerWorld['repository'] {
  return {
    latest: () => viewWith(),
    contact: () => ({ reachedAt: NOW, failure: null }),
    nudge: () => {},
    acceptRewrite: () => 'not-there',
    onChange: () => {},
    ...part,
  };
}

async function ready(
  part: Partial<ServerWorld>,
): Promise<{ status: number; ready: boolean; reasons: string[] }> {
  await using world = await worldWith(part);
  await using app = appOf(world);
  const answer = await app.inject('/readyz');
  return { status: answer.statusCode, ...answer.json() };
}

async function samples(world: ServerWorld): Promise<Record<string, number>> {
  await using app = appOf(world);
  const { body, headers } = await app.inject('/metrics');
  expect(headers['content-type']).toContain('text/plain');
  const lines = body.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}
