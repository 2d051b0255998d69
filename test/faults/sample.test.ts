import { expect, test } from 'vitest';
import { type Outcome, playRounds } from './rounds.ts';
import { scenarios } from './scenario/all.ts';

/** Of `npm run faults`, in one world one after another. */
const SAMPLE = [
  'kill after rollback.push',
  'kill before promotion.pushed',
  'reply to a push lost',
  'power loss',
];

test('a bad version leaves prod the same way whatever is killed on the way', {
  timeout: 240_000,
}, async () => {
  const outcomes: Outcome[] = [];

  await playRounds({
    scenarios: scenarios.filter(({ name }) => SAMPLE.includes(name)),
    seeds: [1],
    onRound: outcome => void outcomes.push(outcome),
    signal: new AbortController().signal,
  });

  expect(outcomes.map(({ scenario }) => scenario).toSorted()).toEqual(SAMPLE.toSorted());
  expect(outcomes.map(outcome => (outcome.kind === 'played' ? outcome.violations : [outcome]))).toEqual(
    SAMPLE.map(() => []),
  );
});
