import { expect, test } from 'vitest';
import { type AfterCrash, afterCrash } from './crash-policy.ts';

function crashAt(...instants: number[]): AfterCrash[] {
  let crashes: readonly number[] = [];
  return instants.map(at => {
    const next = afterCrash(crashes, at);
    crashes = next.crashes;
    return next;
  });
}

test('a single crash is replaced at once', () => {
  expect(crashAt(0)).toMatchObject([{ kind: 'replace', afterMs: 0 }]);
});

test('crashes in a row wait double, and the fifth within a minute is the last', () => {
  expect(crashAt(0, 1000, 2000, 3000, 4000)).toMatchObject([
    { kind: 'replace', afterMs: 0 },
    { kind: 'replace', afterMs: 100 },
    { kind: 'replace', afterMs: 200 },
    { kind: 'replace', afterMs: 400 },
    { kind: 'give-up' },
  ]);
});

test('crashes spread over more than a minute never add up', () => {
  const spread = Array.from({ length: 50 }, (_, n) => n * 20_001);

  expect(crashAt(...spread).every(({ kind }) => kind === 'replace')).toBe(true);
});
