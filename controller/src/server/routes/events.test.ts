import { describe, expect, test } from 'vitest';
import { appOf, bearer, type TestWorld, worldWith } from '../world.fixture.ts';

describe('events', () => {
  test('are given oldest first, after a number, up to a limit, of one subject', async () => {
    await using world = await worldWith();
    await world.tell(
      { type: 'rollout.started', subject: 'prod/screening' },
      { type: 'rollout.baked', subject: 'dev/screening' },
      { type: 'rollout.baked', subject: 'prod/screening' },
    );

    expect(await seqs(world, '')).toEqual([1, 2, 3]);
    expect(await seqs(world, '?after=1')).toEqual([2, 3]);
    expect(await seqs(world, '?limit=1')).toEqual([1]);
    expect(await seqs(world, '?subject=prod/screening')).toEqual([1, 3]);
  });

  test('without any say where the asker stands, so that it can go on from there', async () => {
    await using world = await worldWith();

    expect(await ask(world, '?after=7')).toEqual({ items: [], last: 7 });
    await world.tell({ type: 'controller.started', subject: 'controller' });
    expect(await ask(world, '')).toMatchObject({ last: 1 });
  });

  test('that are there already are not waited for', async () => {
    await using world = await worldWith();
    await world.tell({ type: 'controller.started', subject: 'controller' });

    expect(await seqs(world, '?wait=30')).toEqual([1]);
    expect(world.clock.sleeping()).toBe(0);
  });

  test('that come while somebody waits are given at once, those of another subject are not', async () => {
    await using world = await worldWith();
    const waiting = seqs(world, '?wait=30&subject=prod/screening');
    await expect.poll(() => world.clock.sleeping()).toBe(1);

    await world.tell({ type: 'rollout.started', subject: 'dev/screening' });
    await world.tell({ type: 'rollout.started', subject: 'prod/screening' });

    expect(await waiting).toEqual([2]);
    expect(world.clock.sleeping()).toBe(0);
  });

  test('that do not come end in an empty answer when the time is up', async () => {
    await using world = await worldWith();
    const waiting = ask(world, '?wait=30&after=5');
    await expect.poll(() => world.clock.sleeping()).toBe(1);

    world.clock.pass(29_999);
    expect(world.clock.sleeping()).toBe(1);
    world.clock.pass(1);

    expect(await waiting).toEqual({ items: [], last: 5 });
  });

  test('leave no listener behind, whether they came or not', async () => {
    await using world = await worldWith();
    let listening = 0;
    const onEvents: TestWorld['onEvents'] = listener => {
      listening += 1;
      const stop = world.onEvents(listener);
      return () => {
        listening -= 1;
        stop();
      };
    };
    const waiting = ask({ ...world, onEvents }, '?wait=30');
    await expect.poll(() => listening).toBe(1);

    await world.tell({ type: 'controller.started', subject: 'controller' });

    expect((await waiting).last).toBe(1);
    expect(listening).toBe(0);
  });
});

async function ask(world: TestWorld, query: string): Promise<{ items: { seq: number }[]; last: number }> {
  await using app = appOf(world);
  const answer = await app.inject({ url: `/api/v1alpha1/events${query}`, headers: bearer('operator') });
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

async function seqs(world: TestWorld, query: string): Promise<number[]> {
  return (await ask(world, query)).items.map(({ seq }) => seq);
}
