import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { printAddress, readAddress } from './address.ts';
import { schemaName } from './schema-name.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchback-address-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the file with the address of the ledger', () => {
  test('names server, user, database and what is asked of them', () => {
    const address = readAddress(
      fileWith('postgres://us%40er:p%2Fw@db.example:6432/led%20ger?schema=fraud&sslrootcert=/etc/ca.pem\n'),
    );

    expect(address).toEqual({
      ...{ host: 'db.example', port: 6432, user: 'us@er', password: 'p/w', database: 'led ger' },
      tls: { mode: 'verify-full', rootCertificate: '/etc/ca.pem' },
      schema: 'fraud',
    });
    expect(printAddress(address)).toBe('led ger at db.example:6432');
  });

  test.each([
    ['another machine', 'db.example', '', 'verify-full'],
    ['this machine', '127.0.0.1', '', 'disable'],
    ['this machine by IPv6', '[::1]', '', 'disable'],
    ['a Unix socket', 'localhost', '?host=/run/postgresql', 'disable'],
    ['another machine, as said', 'db.example', '?sslmode=require', 'require'],
  ])('has TLS for %s where it should', (_, host, query, mode) => {
    expect(readAddress(fileWith(`postgresql://u:p@${host}/d${query}`)).tls.mode).toBe(mode);
  });

  test.each([
    ['another protocol', 'mysql://u:hunter2@host/d', /no such address/],
    ['nothing', '', /no such address/],
    ['no database', 'postgres://u:hunter2@host', /name a host, a user and a database/],
    ['no user', 'postgres://host/d', /name a host, a user and a database/],
    ['an unknown word', 'postgres://u:hunter2@host/d?sslmodus=require', /only host, schema, sslmode/],
    ['an unknown mode', 'postgres://u:hunter2@host/d?sslmode=prefer', /sslmode is one of disable, require/],
    [
      'a certificate that is not looked at',
      'postgres://u:hunter2@h/d?sslmode=require&sslrootcert=/a',
      /full path/,
    ],
    ['a schema that would have to be quoted', 'postgres://u:hunter2@h/d?schema=a"b', /small letters/],
    ['a schema that is for everybody', 'postgres://u:hunter2@h/d?schema=public', /neither public/],
    ['a lonely %', 'postgres://u:hunter2%zz@h/d', /write %25/],
    ['more than any address', `postgres://u:hunter2@h/${'d'.repeat(5000)}`, /longer than any address/],
  ])('is refused with %s, and not quoted', (_, text, words) => {
    const file = fileWith(text);

    expect(() => readAddress(file)).toThrow(expect.objectContaining({ code: 'E_LEDGER' }));
    expect(() => readAddress(file)).toThrow(words);
    expect(() => readAddress(file)).not.toThrow('hunter2');
  });

  test('is refused where it is not there, or is no file', () => {
    expect(() => readAddress(join(folder, 'typo'))).toThrow(/typo can not be read/);
    expect(() => readAddress(folder)).toThrow('it is no file');
  });
});

describe('the schema of a repository', () => {
  const of = (url: string, rest: { branch?: string; root?: string } = {}): string =>
    schemaName({ url, branch: 'main', root: '', isDirectory: false, ...rest });

  test('is the same however the repository is reached', () => {
    const names = [
      'https://github.com/team/models.git',
      'https://GitHub.com/team/models/',
      'ssh://git@github.com:22/team/models.git',
      'git@github.com:team/models',
    ].map(url => of(url));

    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^switchback_models_[0-9a-f]{8}$/);
  });

  test('differs by repository, branch and folder', () => {
    const names = [
      of('https://github.com/team/models'),
      of('https://github.com/other/models'),
      of('https://example.org/team/models'),
      of('https://github.com:8443/team/models'),
      of('https://github.com/team/models', { branch: 'next' }),
      of('https://github.com/team/models', { root: 'ml' }),
    ];

    expect(new Set(names).size).toBe(names.length);
  });

  test('can be named without quotes, whatever the repository is called', () => {
    expect(of('https://github.com/team/Ünï-Code.Models".git')).toMatch(/^switchback_[a-z0-9_]+_[0-9a-f]{8}$/);
    expect(of(`https://github.com/team/${'long'.repeat(50)}`).length).toBeLessThanOrEqual(63);
  });

  test('has to be named for a repository in a folder', () => {
    expect(() => schemaName({ url: '/srv/models.git', branch: 'main', root: '', isDirectory: true })).toThrow(
      /add \?schema=<name> to the address/,
    );
  });
});

let files = 0;
function fileWith(text: string): string {
  const file = join(folder, `address-${++files}`);
  writeFileSync(file, text);
  return file;
}
