import { expect, test } from 'vitest';
import type { HostileInput } from '../test/hostile/entry.ts';
import { judgeIndex } from './hostile.mjs';

test('what is sent elsewhere too, and is left to somebody there, is an offence and no exception', () => {
  const tested: HostileInput = { what: 'x', file: 'a.test.ts', tests: ['refuses x'] };
  const group = { letter: 'X', ids: 1, inputs: { X01: tested } };
  const also: Record<string, HostileInput> = { X01: { what: 'y', left: 'the page' } };
  const read = (file: string): string | null => (file === 'a.test.ts' ? "test('refuses x')" : null);

  expect(judgeIndex([{ ...group, also }], read)).toEqual({
    offences: [
      'X01 is left to the page among those that are sent elsewhere too: name its tests, or take it out.',
    ],
    ...{ mapped: 1, tested: 1, left: new Map() },
  });
  // As it stands in the tree, where nothing is read in its place.
  expect(() => judgeIndex([{ ...group, also }])).not.toThrow();
});
