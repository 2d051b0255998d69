import { expect, test } from 'vitest';
import { judgeIndex } from '../../scripts/hostile.mjs';
import type { HostileInput } from './entry.ts';
import { groups } from './index.ts';

const tested: HostileInput = { what: 'x', file: 'a.test.ts', tests: ['refuses x'] };
const left: HostileInput = { what: 'y', left: 'the page' };
const read = (file: string): string | null => (file === 'a.test.ts' ? "test('refuses x', () => {});" : null);
const judge = (inputs: Record<string, HostileInput>) => judgeIndex([{ letter: 'X', ids: 2, inputs }], read);

test('every named hostile input is mapped', () => {
  const { offences, mapped } = judgeIndex(groups);

  expect(offences).toEqual([]);
  expect(mapped).toBe(161);
});

test('an index that is whole has no offence, and its counts', () => {
  const { offences, ...counts } = judge({ X01: tested, X02: left });

  expect(offences).toEqual([]);
  expect(counts).toEqual({ mapped: 2, tested: 1, left: new Map([['the page', 1]]) });
});

test('what is sent to another door too is held to the same, and counts once', () => {
  const also = { X01: { ...tested, tests: ['takes x'] as [string] }, X09: tested };

  const { offences, mapped } = judgeIndex(
    [{ letter: 'X', ids: 2, inputs: { X01: tested, X02: left }, also }],
    read,
  );

  expect(offences).toEqual([
    expect.stringContaining('X09 is not an id'),
    expect.stringContaining('"takes x"'),
  ]);
  expect(mapped).toBe(2);
});

test.each<[string, Record<string, HostileInput>, string]>([
  ['an id that is mapped nowhere', { X01: tested }, 'X02 is mapped nowhere'],
  ['an id that there is not', { X01: tested, X02: left, X03: left }, 'X03 is not an id'],
  [
    'a file that is not there',
    { X01: { ...tested, file: 'gone.test.ts' }, X02: left },
    'gone.test.ts, which is not',
  ],
  ['a test that is not there', { X01: { ...tested, tests: ['takes x'] }, X02: left }, '"takes x"'],
])('%s is an offence', (_, inputs, words) => {
  expect(judge(inputs).offences).toEqual([expect.stringContaining(words)]);
});
