import { expect, test } from 'vitest';
import { gather } from './block.ts';

const stableOnly = { candidate: { bad: 0, total: 0 }, stable: { bad: 1, total: 10 } };
const candidateOnly = { candidate: { bad: 1, total: 1 }, stable: { bad: 0, total: 0 } };
const both = { candidate: { bad: 1, total: 1 }, stable: { bad: 1, total: 10 } };

test('passes on at once what both sides answered', () => {
  expect(gather(null, both, 1000)).toEqual({ pending: null, block: both });
});

test('waits for the other side and compares both together', () => {
  const first = gather(null, stableOnly, 1000);
  const second = gather(first.pending, candidateOnly, 2000);

  expect(first).toEqual({ pending: { since: 1000, ...stableOnly }, block: null });
  expect(second).toEqual({ pending: null, block: both });
});

test('keeps counting from the first one-sided request', () => {
  const first = gather(null, stableOnly, 1000);
  const second = gather(first.pending, stableOnly, 2000);

  expect(second.pending).toMatchObject({ since: 1000, stable: { bad: 2, total: 20 } });
});

test('drops one side that waited for more than five minutes', () => {
  const { pending } = gather(null, stableOnly, 1000);

  expect(gather(pending, candidateOnly, 301_001)).toEqual({
    pending: { since: 301_001, ...candidateOnly },
    block: null,
  });
});

test('drops one side that answered so much alone that the other had no traffic', () => {
  const many = { candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 1001 } };
  const { pending } = gather(null, many, 1000);

  expect(gather(pending, candidateOnly, 2000).block).toBeNull();
});
