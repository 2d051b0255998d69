import { expect, test } from 'vitest';
import { NoJson, parseJson } from './parse.ts';

const whyNot = (text: string): string => (parseJson(text) as NoJson).why;

test.each([
  ['{"a": NaN}', 'NaN at character 6'],
  ['[1, -Infinity]', '-Infinity at character 4'],
  ['[Infinity', 'Infinity at character 1'],
  ['{"NaN": "\\"NaN", "b": NaN}', 'NaN at character 22'],
])('what Python writes for a missing or infinite value is named with its place: %s', (text, words) => {
  expect(whyNot(text)).toContain(`it is not JSON: it has ${words}`);
});

test.each(['{"NaN": "NaN"', '"\\" NaN', '[-1, Null]'])('other text that is no JSON has none: %s', text => {
  expect(whyNot(text)).toBe('it is not JSON');
});

test('eight megabytes of quotes that never close are read once', () => {
  const quotes = `"${'\\"'.repeat(4 * 2 ** 20)}`;

  expect(parseJson(quotes)).toBeInstanceOf(NoJson);
  expect(whyNot('-'.repeat(8 * 2 ** 20))).toBe('it is not JSON');
});
