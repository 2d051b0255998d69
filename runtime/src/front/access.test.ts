import { expect, test } from 'vitest';
import { rememberedAccess, sha256Of } from './access.ts';

const headerOf = (key: string): string => `Bearer ${key}`;

test('a key that was let in is let in again, for as long as the same list holds', () => {
  const authenticate = rememberedAccess();
  const listed = [sha256Of('one'), sha256Of('two')];
  authenticate(headerOf('one'), listed);
  authenticate(headerOf('one'), listed);

  expect(() => authenticate(headerOf('one'), [sha256Of('two')])).toThrow('This is no inference key');
  expect(() => authenticate(headerOf('one'), [])).toThrow('This is no inference key');
  expect(() => authenticate(headerOf('one'), listed)).not.toThrow();
});

test.each([undefined, '', 'Bearer', headerOf('another'), 'Basic one', 'bearer'])(
  'nobody is let in with %j, however often and whoever was let in before',
  header => {
    const authenticate = rememberedAccess();
    const listed = [sha256Of('one')];
    authenticate(headerOf('one'), listed);

    for (let time = 0; time < 3; time++) expect(() => authenticate(header, listed)).toThrow(/inference key/);
  },
);

test('more keys than are remembered are each let in all the same', () => {
  const authenticate = rememberedAccess();
  const keys = Array.from({ length: 1100 }, (_, index) => `key-${index}`);
  const listed = keys.map(sha256Of);

  for (const key of [...keys.slice(0, 1050), ...keys.slice(0, 5)])
    expect(() => authenticate(headerOf(key), listed)).not.toThrow();
  expect(() => authenticate(headerOf('key-1100'), listed)).toThrow('This is no inference key');
});
