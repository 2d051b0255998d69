import { expect, test } from 'vitest';
import { HEAD, NOW, viewWith } from '../../registry/deployed.fixture.ts';
import type { Rewrite } from '../../repository/view.ts';
import { appOf, bearer, type TestWorld, worldWith } from '../world.fixture.ts';

const REWRITE: Rewrite = { ref: 'refs/heads/main', before: HEAD, after: 'b'.repeat(40) as Rewrite['after'] };

test('a rewritten history is accepted where it was seen, in the name of who asks', async () => {
  await using world = await rewrittenWorld();

  const answer = await accept(world, { head: REWRITE.after, by: 'mei', reason: 'we removed a secret' });

  expect(answer.statusCode).toBe(202);
  expect(answer.json()).toEqual({ did: 'refs/heads/main goes on from bbbbbbb' });
  expect(world.asked).toEqual([
    { kind: 'accept-rewrite', rewrite: REWRITE, by: 'mei', reason: 'we removed a secret' },
  ]);
});

test.each([
  ['another head than the one that was seen', 'c'.repeat(40)],
  ['what was there before', HEAD as string],
])('%s is not accepted', async (_, head) => {
  await using world = await rewrittenWorld();

  const answer = await accept(world, { head, reason: 'x' });

  expect([answer.statusCode, answer.json().code]).toEqual([409, 'E_CONFLICT']);
  expect(world.asked).toEqual([]);
});

test('nothing is accepted where nothing was rewritten', async () => {
  await using world = await worldWith();

  expect((await accept(world, { head: HEAD, reason: 'x' })).statusCode).toBe(409);
});

function rewrittenWorld(): Promise<TestWorld> {
  const failure = {
    code: 'E_HISTORY_REWRITTEN',
    message: 'it was rewritten',
    since: NOW,
    rewritten: REWRITE,
  };
  return worldWith({
    repository: {
      latest: () => viewWith(),
      contact: () => ({ reachedAt: NOW, failure }),
      acceptRewrite: () => 'accepted',
      nudge: () => {},
      onChange: () => {},
    },
  });
}

function accept(world: TestWorld, payload: object) {
  return appOf(world).inject({
    method: 'POST',
    url: '/api/v1alpha1/repository/accept-rewrite',
    headers: bearer('operator'),
    payload,
  });
}
