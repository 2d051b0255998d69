import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test.each<[string, string[], string | null]>([
  ['verison', ['version', 'digest'], 'version'],
  ['objectiv', ['objectives', 'owners'], 'objectives'],
  ['1.2.1', ['1.2.0', '1.10.0'], '1.2.0'],
  ['cat', ['bat', 'rat'], 'bat'],
  ['by', ['to'], null],
  ['anything', [], null],
  ['zzzzzz', ['version'], null],
])('%s among %j is %s', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});

test('a word that is there is its own nearest, and what is found was a candidate', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (word, others) => {
      expect(nearest(word, [...others, word])).toBe(word);
      const found = nearest(word, others);
      if (found !== null) expect(others).toContain(found);
    }),
  );
});
