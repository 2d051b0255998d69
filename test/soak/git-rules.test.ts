import { expect, test } from 'vitest';
import { twice } from './git-rules.ts';

test('an operation with two commits is found, whatever else they say', () => {
  const body = (operation: string): string =>
    `prod/wine: promote 2.0.0\n\nSwitchback-Operation: ${operation}\n`;

  expect(twice([body('a'), 'by hand', body('b'), body('a')])).toEqual(['a']);
  expect(twice([body('a'), 'by hand', 'by hand'])).toEqual([]);
});
