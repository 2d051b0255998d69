import { expect, test } from 'vitest';
import { chooseEngineMemory } from './engine-memory.ts';

const GIB = 2 ** 30;

test('half of what the machine has is for engines where nothing says otherwise', () => {
  const chosen = chooseEngineMemory({ statedBytes: undefined, machineBytes: 8 * GIB, limitBytes: 0 });

  expect(chosen).toEqual({ bytes: 4 * GIB, why: '50 % of the 8192 MiB that the machine has' });
});

test('a control group that allows less than the machine has is what counts', () => {
  const chosen = chooseEngineMemory({ statedBytes: undefined, machineBytes: 8 * GIB, limitBytes: 2 * GIB });

  expect(chosen).toEqual({ bytes: GIB, why: '50 % of the 2048 MiB that its control group allows' });
});

test('a limit beyond what the machine has, as the kernel says it for none, is no limit', () => {
  const chosen = chooseEngineMemory({ statedBytes: undefined, machineBytes: 8 * GIB, limitBytes: 2 ** 64 });

  expect(chosen.bytes).toBe(4 * GIB);
});

test('what is stated is taken as it is', () => {
  const chosen = chooseEngineMemory({ statedBytes: 3 * GIB, machineBytes: GIB, limitBytes: GIB / 2 });

  expect(chosen).toEqual({ bytes: 3 * GIB, why: 'as --engine-memory-mib says' });
});
