import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

test('keeps the ledger in the state directory, unless a file with the address of a database is named', () => {
  const given = ['--repo', 'r', '--state', 's'];

  expect(readConfig(given).ledgerUrlFile).toBeNull();
  expect(readConfig([...given, '--ledger-url-file', 'ledger-url']).ledgerUrlFile).toBe(resolve('ledger-url'));
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

describe('the file with the address of a Redis', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchback-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const read = (file: string) => readConfig(['--repo', 'r', '--state', 's', '--redis-file', file]).redisFile;
  const fileWith = (text: string): string => {
    const file = join(folder, 'redis');
    writeFileSync(file, text);
    return file;
  };

  test.each([
    'redis://127.0.0.1:6379',
    'rediss://someone:secret@redis.example:6380/2',
    'unix:///run/redis.sock',
  ])('may hold %s', address => {
    const file = fileWith(`${address}\n`);

    expect(read(file)).toBe(file);
  });

  test.each([
    ['another protocol', 'http://:secret@redis.example'],
    ['a query', 'redis://:secret@redis.example?db=2'],
    ['no address', 'secret'],
    ['nothing', ''],
    ['more than any address', `redis://:secret@${'a'.repeat(5000)}`],
  ])('is refused with %s, and not quoted', (_, text) => {
    const file = fileWith(text);

    expect(() => read(file)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    expect(() => read(file)).toThrow(`--redis-file: ${file} must hold`);
    expect(() => read(file)).not.toThrow('secret');
  });

  test('is refused where it is not there, or is no file', () => {
    const missing = join(folder, 'typo');

    expect(() => read(missing)).toThrow(`--redis-file: ${missing} can not be read`);
    expect(() => read(folder)).toThrow('it is no file');
  });
});
