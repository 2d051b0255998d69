import { describe, expect, test } from 'vitest';
import { intend } from '../../operation/open-operations.ts';
import { candidateWith, NOW, rolloutWith, SUBJECT, stateWith } from '../../registry/deployed.fixture.ts';
import { appOf, bearer, type TestWorld, worldWith } from '../world.fixture.ts';

const CANARY = { rollout: rolloutWith({ candidate: candidateWith() }) };

describe('a rollback', () => {
  test('is answered once the cycle has remembered it, with what was done, what git will say and how to undo it', async () => {
    await using world = await worldWith({ state: stateWith(CANARY) });

    const answer = await post(world, 'rollback', { reason: 'customers complain', by: 'mei' });

    expect(answer.statusCode).toBe(202);
    const [open] = world.state.open.list();
    expect(answer.json()).toEqual({
      operation: open?.id,
      did: 'the traffic of prod/screening goes back from 1.2.0 to 1.1.0',
      gitWillSay: 'prod/screening: 1.2.0 on hold (customers complain)',
      undo: 'git revert that commit: it lifts the hold and brings 1.2.0 back',
    });
    expect(world.asked).toMatchObject([
      { kind: 'intend', intent: { by: 'mei', reason: 'customers complain' } },
    ]);
  });

  test('asked for twice is one operation', async () => {
    await using world = await worldWith({ state: stateWith(CANARY) });

    const [first, second] = [await post(world, 'rollback'), await post(world, 'abort')];

    expect(second.json().operation).toBe(first.json().operation);
    expect(world.asked).toHaveLength(1);
  });

  test('is the operator’s when nobody is named', async () => {
    await using world = await worldWith({ state: stateWith(CANARY) });

    await post(world, 'abort', { reason: 'x' });

    expect(world.asked).toMatchObject([{ intent: { by: 'operator' } }]);
  });

  test('that was withheld before is not promised again', async () => {
    await using world = await worldWith({ state: stateWith(CANARY) });
    world.cycle = 'drops';
    await post(world, 'rollback');
    const [request] = world.asked;
    if (request?.kind !== 'intend') throw new Error('no intent');
    const { operation: record } = intend(request.intent, 'withheld', NOW);
    await world.ledger.advance({ epoch: 1, at: NOW, operations: [{ record, from: null }] });

    const answer = await post(world, 'rollback');

    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({
      code: 'E_CONFLICT',
      detail: expect.stringContaining('withheld before'),
    });
  });

  test('that no ledger remembers is no success', async () => {
    await using world = await worldWith({ state: stateWith(CANARY) });
    world.cycle = 'drops';

    expect((await post(world, 'rollback')).json()).toMatchObject({ status: 503, code: 'E_LEASE_HELD' });
  });

  test('with nothing to go back to is a conflict that says what to do', async () => {
    await using world = await worldWith();

    const answer = await post(world, 'rollback');

    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({
      code: 'E_NO_LAST_GOOD',
      detail: expect.stringContaining('Promote'),
    });
  });
});

describe('a person’s wish', () => {
  test('is not taken while another controller leads', async () => {
    await using world = await worldWith({ state: stateWith(CANARY), epoch: () => null });

    const answer = await post(world, 'pause');

    expect(answer.json()).toMatchObject({ status: 503, code: 'E_LEASE_HELD' });
    expect(answer.headers['retry-after']).toBe('1');
    expect(world.asked).toEqual([]);
  });

  test('is given up when no cycle comes', async () => {
    await using world = await worldWith({ state: stateWith(CANARY) });
    world.cycle = 'never comes';

    const answering = post(world, 'pause');
    await expect.poll(() => world.clock.sleeping()).toBe(1);
    world.clock.pass(8_000);

    expect((await answering).json()).toMatchObject({ status: 503, code: 'E_OVERLOADED' });
    expect(world.clock.sleeping()).toBe(0);
  });

  test('for a pause reaches the cycle as it was said', async () => {
    await using world = await worldWith({ state: stateWith(CANARY) });

    const answer = await post(world, 'pause', { reason: '  black friday ', by: 'mei' });

    expect(answer.statusCode).toBe(202);
    expect(world.asked).toEqual([{ kind: 'pause', subject: SUBJECT, by: 'mei', reason: 'black friday' }]);
  });

  test('for a deployment that is not there is 404', async () => {
    await using world = await worldWith();
    await using app = appOf(world);
    const url = '/api/v1alpha1/environments/prod/models/other/rollback';

    const answer = await app.inject({
      method: 'POST',
      url,
      headers: bearer('operator'),
      payload: { reason: 'x' },
    });

    expect(answer.statusCode).toBe(404);
    expect(answer.json().detail).toContain('prod/other');
  });
});

describe('a nudge', () => {
  test.each([undefined, {}])(
    'makes the controller look at the remote, whatever body comes with it (%j)',
    async payload => {
      await using world = await worldWith();
      await using app = appOf(world);

      const answer = await app.inject({
        method: 'POST',
        url: '/api/v1alpha1/nudge',
        headers: bearer('operator'),
        ...(payload ? { payload } : {}),
      });

      expect(answer.statusCode).toBe(204);
      expect(answer.body).toBe('');
      expect(world.nudges).toBe(1);
    },
  );
});

async function post(world: TestWorld, verb: string, payload: object = { reason: 'customers complain' }) {
  await using app = appOf(world);
  const url = `/api/v1alpha1/environments/prod/models/screening/${verb}`;
  return await app.inject({ method: 'POST', url, headers: bearer('operator'), payload });
}
