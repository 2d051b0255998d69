import { expect, test } from 'vitest';
import { actuationContract, kinds, PROD, running, start } from '../actuation.contract.ts';
import { memoryActuation } from './index.ts';

actuationContract('memory', async () => memoryActuation());

test('a lost runtime comes back at its address as another instance', async () => {
  await using actuation = memoryActuation();
  await start(actuation, PROD);
  const [before] = running(actuation.observe());

  actuation.lose(PROD, 'a test');

  const [after] = running(actuation.observe());
  expect(after?.address).toBe(before?.address);
  expect(after?.instanceId).not.toBe(before?.instanceId);
  expect(kinds(actuation.changes())).toEqual(['prod started', 'prod lost', 'prod started']);
});
