import { expect, test } from 'vitest';
import { readOptions } from './options.ts';

test('takes an address alone, without the slash at its end', () => {
  expect(readOptions(['--url', 'http://127.0.0.1:8000/'])).toEqual({
    url: 'http://127.0.0.1:8000',
    model: null,
    version: null,
    keyFile: null,
    headers: {},
    requestFile: null,
    assume: [],
    isJson: false,
  });
});

test('takes several headers and several extensions', () => {
  const args = [
    '--header',
    'X-Tenant: a: b',
    '--header',
    'x-trial:1',
    '--assume',
    'statistics',
    '--assume',
    'x',
  ];

  expect(readOptions(['--url', 'https://host/prefix', ...args])).toMatchObject({
    url: 'https://host/prefix',
    headers: { 'x-tenant': 'a: b', 'x-trial': '1' },
    assume: ['statistics', 'x'],
  });
});

test.each([
  ['no address', [], '--url: must be an http or https URL'],
  ['another protocol', ['--url', 'grpc://a'], '--url: must be an http or https URL'],
  ['a header without a value', ['--url', 'http://a', '--header', 'x'], '--header: must be of the form'],
])('refuses %s with a sentence', (_, args, words) => {
  expect(() => readOptions(args)).toThrow(words);
});
