import { expect, test } from 'vitest';
import { parseElement } from './element.ts';

test.each([
  ['a number', '1.5e-3', 'FP32', 0.0015],
  ['one that FP32 can not hold', '3.5e38', 'FP32', null],
  ['the same where it can be held', '3.5e38', 'FP64', 3.5e38],
  ['the largest half', '-65504', 'FP16', -65_504],
  ['what is rounded to it', '65519', 'FP16', 65_519],
  ['what would be rounded to an infinite half', '65520', 'FP16', null],
  ['an infinity', 'Infinity', 'FP64', null],
  ['a whole number out of range', '256', 'UINT8', null],
  ['a fraction where a whole number is asked for', '1.5', 'INT32', null],
  ['a truth', 'TRUE', 'BOOL', true],
  ['any text', '', 'BYTES', ''],
] as const)('%s: "%s" as %s is %s', (_, text, datatype, element) => {
  expect(parseElement(text, datatype)).toBe(element);
});
