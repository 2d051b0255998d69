import { expect, test } from 'vitest';
import { dividing, OPTIONS, work } from './batcher.fixture.ts';
import { Batcher } from './batcher.ts';

test('those who went together have one object in common, and nobody else has it', async () => {
  const batcher = new Batcher(OPTIONS);
  batcher.attach(0, dividing());

  const [one, other] = await Promise.all([batcher.submit(work([1])), batcher.submit(work([2, 3]))]);
  const later = await batcher.submit(work([4]));
  const inParts = await batcher.submit(work(Array(20).fill(5)));

  expect([one.batchRows, other.batchRows]).toEqual([3, 3]);
  expect(one.batch).toBeDefined();
  expect(other.batch).toBe(one.batch);
  expect(later.batch).toBeDefined();
  expect(later.batch).not.toBe(one.batch);
  expect(inParts.batch).toBeUndefined();
});
