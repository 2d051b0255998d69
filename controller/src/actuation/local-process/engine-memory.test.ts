import { expect, test } from 'vitest';
import { engineMemoryBytes } from './engine-memory.ts';

const GIB = 2 ** 30;
const MACHINE = { totalBytes: 24 * GIB, limitBytes: 0 };

test('a runtime that is alone chooses itself', () => {
  expect(engineMemoryBytes(1, MACHINE)).toBeUndefined();
});

test('several share half of what the machine has, or of what its control group allows', () => {
  expect(engineMemoryBytes(3, MACHINE)).toBe(4 * GIB);
  expect(engineMemoryBytes(4, { ...MACHINE, limitBytes: 8 * GIB })).toBe(GIB);
  expect(engineMemoryBytes(4, { ...MACHINE, limitBytes: 2 ** 60 })).toBe(3 * GIB);
});

test('what is left for each is never nothing', () => {
  expect(engineMemoryBytes(16, { totalBytes: 2 ** 20, limitBytes: 0 })).toBe(2 ** 20);
});
