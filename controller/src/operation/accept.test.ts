import { expect, test } from 'vitest';
import { memoryLedger } from '../ledger/memory/index.ts';
import { rollbackIntent } from '../proposal/intent.fixture.ts';
import { desiredWith, NOW } from '../registry/deployed.fixture.ts';
import { specOf } from '../rollout/rollout.fixture.ts';
import { accept } from './accept.ts';
import { OpenOperations } from './open-operations.ts';

test('a rollback that was withheld is found with its reason, also by a controller that starts after it', async () => {
  await using ledger = memoryLedger();
  const acquired = await ledger.acquire('test', 60_000, NOW);
  if (acquired.kind !== 'acquired') throw new Error('a new ledger gives its lease');
  const intent = rollbackIntent(specOf('1.3.0'), specOf('1.2.0'));
  const desired = desiredWith({}, { mode: 'observe' });
  const first = new OpenOperations([]);

  const { operations } = await accept([intent], { ledger, open: first, desired, now: NOW });
  const { epoch } = acquired.lease;
  await ledger.advance({ epoch, at: NOW, operations: operations.map(record => ({ record, from: null })) });
  for (const operation of operations) first.put(operation);
  const second = new OpenOperations([]);
  const again = await accept([intent], { ledger, open: second, desired, now: NOW + 1 });

  expect(again).toEqual({ operations: [], events: [] });
  for (const open of [first, second]) {
    expect(open.list()).toEqual([]);
    expect(open.endedRollback('prod/fraud')).toMatchObject({
      state: 'withheld',
      result: { reason: expect.stringContaining('mode observe') },
    });
  }
  expect(second.endedRollback('prod/other')).toBeNull();
});
