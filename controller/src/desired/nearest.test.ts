import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test.each<[string, string[], string | null]>([
  ['verison', ['version', 'digest'], 'version'],
  ['objectiv', ['objectives', 'owners'], 'objectives'],
  ['1.2.1', ['1.2.0', '1.10.0'], '1.2.0'],
  ['cat', ['bat', 'rat'], 'bat'],
  ['fruad', ['triage', 'fraud'], 'fraud'],
  ['xrauy', ['fraud'], null],
  ['by', ['to'], null],
  ['anything', [], null],
  ['zzzzzz', ['version'], null],
])('%s among %j is %s', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});

test('a hundred candidates that are alike are measured and no more, however many there are', () => {
  const far = Array.from({ length: 100 }, (_, index) => `risk-${String(index).padStart(3, '0')}-scoring`);
  const near = 'risk-xxy-scoring';

  expect(nearest('risk-xxx-scoring', [...far.slice(1), near])).toBe(near);
  expect(nearest('risk-xxx-scoring', [...far, near])).not.toBe(near);
  expect(nearest(near, [...far, near])).toBe(near);
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
