import { expect, test } from 'vitest';
import { duration, matrix, sumOf } from './matrix.ts';
import type { Outcome } from './rounds.ts';

const violation = { rule: 'one effect', expected: 'one', seen: 'two' };
const outcomes: Outcome[] = [
  { kind: 'played', scenario: 'power loss', seed: 1, tookMs: 9000, violations: [], evidence: null },
  {
    kind: 'played',
    scenario: 'power loss',
    seed: 2,
    tookMs: 9000,
    violations: [violation, violation],
    evidence: '/tmp/x',
  },
  { kind: 'skipped', scenario: 'disk full', seed: 1, why: 'this account may not mount a file system' },
];

test('the matrix has a line a scenario and a column a seed, and says what could not be played', () => {
  expect(matrix(outcomes, [1, 2]).split('\n')).toEqual([
    'scenario    seed 1  seed 2',
    'power loss      ok       2',
    'disk full        –       –',
    '– disk full: this account may not mount a file system',
  ]);
});

test('what is not played is counted apart, and never as fine', () => {
  expect(sumOf(outcomes, 65_000)).toEqual({ rounds: 2, skipped: 1, violations: 2, elapsedMs: 65_000 });
  expect(duration(65_000)).toBe('1 min 5 s');
});
