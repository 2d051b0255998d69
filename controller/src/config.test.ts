import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

test('reads what a person sets and fills in the rest', () => {
  expect(readConfig(['--repo', 'models.git', '--state', 'here'])).toMatchObject({
    repository: { url: resolve('models.git'), branch: 'main', root: '', isDirectory: true, lfsUrl: null },
    state: resolve('here'),
    host: '127.0.0.1',
    port: 0,
    pollMs: 1000,
  });
});

test.each([
  ['https://example.org/team/models.git', false],
  ['git@example.org:team/models.git', false],
  ['./models.git', true],
  ['/srv/git/models.git', true],
])('tells a folder from an address: %s', (repo, isDirectory) => {
  expect(readConfig(['--repo', repo, '--state', 's']).repository.isDirectory).toBe(isDirectory);
});

test.each([
  [['--state', 's'], /--repo/],
  [['--repo', 'r', '--state', 's', '--port', '70000'], /--port/],
  [['--repo', 'r', '--state', 's', '--host', '0.0.0.0'], /--host/],
  [['--repo', 'r', '--state', 's', '--poll', 'soon'], /--poll.*"30s"/],
  [['--repo', 'r', '--state', 's', '--root', '../elsewhere'], /--root/],
  [['--repo', 'r', '--state', 's', '--colour', 'red'], /--colour/],
])('refuses %j and names the option', (argv, words) => {
  expect(() => readConfig(argv)).toThrow(words);
});
