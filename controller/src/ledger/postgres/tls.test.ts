import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { open } from './opened.fixture.ts';
import { hasPostgres, type RealPostgres, startPostgres } from './server.fixture.ts';

describe.skipIf(!hasPostgres() || !hasOpenssl())('a server that lets nobody in without TLS', () => {
  let server: RealPostgres;
  let certificate: string;
  beforeAll(async () => {
    server = await startPostgres();
    certificate = server.requireTls();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('is reached by whoever knows its certificate, or asks for none', async () => {
    const verified = `sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`;
    await using one = await open(server.addressFile({ query: `schema=tls&${verified}` }));
    await using two = await open(server.addressFile({ query: 'schema=tls&sslmode=require' }));

    expect(await one.acquire('a', 15_000, 0)).toMatchObject({ kind: 'acquired' });
    expect(await two.acquire('b', 15_000, 0)).toMatchObject({ kind: 'held' });
    expect(
      server.sql(
        `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'switchback'`,
      ),
    ).toBe('t');
  });

  test.each([
    ['without TLS', 'schema=tls', /lets nobody in without TLS; add \?sslmode=verify-full/],
    [
      'with a certificate that nobody vouches for',
      'schema=tls&sslmode=verify-full',
      /its certificate is not trusted; name/,
    ],
    [
      'by a certificate that is not there',
      'schema=tls&sslmode=verify-full&sslrootcert=/nowhere.pem',
      /nowhere\.pem.*can not be read/,
    ],
  ])('is not reached %s, and the reason is told', async (_, query, words) => {
    await expect(open(server.addressFile({ query }))).rejects.toMatchObject({
      code: 'E_LEDGER',
      message: expect.stringMatching(words),
    });
  });
});

function hasOpenssl(): boolean {
  const isHere = spawnSync('openssl', ['version']).status === 0;
  if (!isHere && process.env['CI'] === 'true')
    throw new Error('openssl is missing; install it for these tests');
  if (!isHere) process.stderr.write('SKIPPED: openssl is missing, so the ledger was not tried with TLS\n');
  return isHere;
}
