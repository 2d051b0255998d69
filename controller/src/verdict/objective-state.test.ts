import { expect, test } from 'vitest';
import { absorb, newObjective } from './objective-state.ts';
import { noEvidence, weigh } from './sequential-test.ts';

const none = { bad: 0, total: 0 };
const first = { candidate: { bad: 2, total: 10 }, stable: { bad: 9, total: 90 } };
const second = { candidate: { bad: 3, total: 10 }, stable: { bad: 1, total: 90 } };

test('weighs a block by what stable had done before it, never by the block itself', () => {
  const state = absorb(absorb(newObjective(), first, 0, 1000), second, 0, 61_000);

  const evidence = weigh(weigh(noEvidence(), first, none, 1), second, first.stable, 2);

  expect(state).toMatchObject(evidence);
});

test('keeps one side until the other has answered, and then weighs both as one block', () => {
  const apart = absorb(newObjective(), { candidate: none, stable: first.stable }, 0, 1000);
  const joined = absorb(apart, { candidate: first.candidate, stable: none }, 0, 2000);

  expect(apart).toMatchObject({ ...noEvidence(), stable: first.stable });
  expect(joined).toMatchObject({ ...weigh(noEvidence(), first, none, 1), ...first, pending: null });
});

test('is the very same without requests', () => {
  const state = absorb(newObjective(), first, 0, 1000);

  expect(absorb(state, { candidate: none, stable: none }, 0, 2000)).toBe(state);
});
