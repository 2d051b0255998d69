import { expect, test } from 'vitest';
import { answeredBy } from './answered-by.ts';
import { backend, REVISION } from './served.fixture.ts';

test('an answer names version, revision, digest and commit, from a list that is made once', () => {
  const headers = answeredBy();
  const one = backend('1.2');

  const made = headers(one, 'c0ffee');

  expect(made).toEqual([
    'x-switchback-version',
    '1.2',
    'x-switchback-revision',
    REVISION,
    'x-switchback-digest',
    one.digest,
    'x-switchback-commit',
    'c0ffee',
  ]);
  expect(headers(one, 'c0ffee')).toBe(made);
});

test('another commit is named at once, though the backend is the same', () => {
  const headers = answeredBy();
  const one = backend('1.2');
  headers(one, 'c0ffee');

  expect(headers(one, 'facade').at(-1)).toBe('facade');
  expect(headers(one, undefined)).not.toContain('x-switchback-commit');
});
