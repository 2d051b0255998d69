import { copyFileSync } from 'node:fs';
import type { NewEvent } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Log } from '../../log.ts';
import type { Ledger } from '../ledger.ts';
import { open } from './opened.fixture.ts';
import { hasPostgres, PASSWORD, type RealPostgres, startPostgres } from './server.fixture.ts';

const TTL = 15_000;
const T0 = 1_780_000_000_000;
const HOUR = 3_600_000;
const EVENT: NewEvent = { at: 10, type: 'rollout.stepped', subject: 'dev/a', actor: 'test', data: {} };

describe.skipIf(!hasPostgres())('a ledger on a real server', () => {
  let server: RealPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  let schemas = 0;
  /** Two controllers of one repository, each with its connections. */
  const pair = async (): Promise<{ schema: string; one: Ledger; two: Ledger } & AsyncDisposable> => {
    const schema = `pair_${++schemas}`;
    const [one, two] = await Promise.all(
      [1, 2].map(() => open(server.addressFile({ query: `schema=${schema}` }))),
    );
    return {
      ...{ schema, one: one!, two: two! },
      [Symbol.asyncDispose]: async () => {
        await Promise.all([one![Symbol.asyncDispose](), two![Symbol.asyncDispose]()]);
      },
    };
  };

  test('is not taken by a controller whose clock is a day ahead', async () => {
    await using both = await pair();
    await both.one.acquire('a', TTL, T0);

    const asked = await both.two.acquire('b', TTL, T0 + 24 * HOUR);

    expect(asked).toMatchObject({ kind: 'held', by: { holder: 'a', epoch: 1 } });
    const leftMs = asked.kind === 'held' ? asked.by.until - (T0 + 24 * HOUR) : 0;
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(TTL);
  });

  test('is taken once it has run out by the clock of the server, by a controller whose clock is a day behind', async () => {
    await using both = await pair();
    const first = await both.one.acquire('a', TTL, T0);
    server.sql(`UPDATE ${both.schema}.lease SET until_at = until_at - ${TTL}`);

    const second = await both.two.acquire('b', TTL, T0 - 24 * HOUR);

    expect(first).toEqual({ kind: 'acquired', lease: { holder: 'a', epoch: 1, until: T0 + TTL } });
    expect(second).toEqual({
      kind: 'acquired',
      lease: { holder: 'b', epoch: 2, until: T0 - 24 * HOUR + TTL },
    });
    expect(await both.one.advance({ epoch: 1, at: T0, events: [EVENT] })).toEqual({ kind: 'fenced' });
  });

  test('leaves no gap and no number twice where two write against each other', async () => {
    await using both = await pair();
    await both.one.acquire('a', TTL, T0);
    const writer = (ledger: Ledger) =>
      Promise.all(
        Array.from({ length: 25 }, () => ledger.advance({ epoch: 1, at: 1, events: [EVENT, EVENT] })),
      );

    const outcomes = (await Promise.all([writer(both.one), writer(both.two)])).flat();

    expect(outcomes.every(({ kind }) => kind === 'advanced')).toBe(true);
    const seqs = (await both.one.events({ limit: 1000 })).map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  test('is made once where several controllers start at the same time', async () => {
    const addressFile = server.addressFile();

    const ledgers = await Promise.all(Array.from({ length: 4 }, () => open(addressFile)));

    for (const ledger of ledgers) await ledger[Symbol.asyncDispose]();
    expect(ledgers).toHaveLength(4);
  });

  test('tells the log of a new schema once, and shares a database with others', async () => {
    const lines: object[] = [];
    const info = (fields: object, message: string): void => void lines.push({ ...fields, message });
    const log = { info: info as Log['info'], warn: info as Log['warn'] };

    await (await open(server.addressFile({ query: '' }), log))[Symbol.asyncDispose]();
    await (await open(server.addressFile({ query: '' }), log))[Symbol.asyncDispose]();
    await (await open(server.addressFile({ query: 'schema=other' }), log))[Symbol.asyncDispose]();

    const message = 'ledger schema brought up to date';
    expect(lines).toEqual([
      { schema: expect.stringMatching(/^switchback_models_[0-9a-f]{8}$/), from: 0, to: 2, message },
      { schema: 'other', from: 0, to: 2, message },
    ]);
  });

  test('lets nobody change, remove or empty its events', async () => {
    await using both = await pair();
    await both.one.acquire('a', TTL, T0);
    await both.one.advance({ epoch: 1, at: 10, events: [EVENT, { ...EVENT, at: 20 }, { ...EVENT, at: 30 }] });
    await both.one.forgetEvents(1, 15);

    for (const deed of ['UPDATE %.event SET seq = 9', 'DELETE FROM %.event', 'TRUNCATE %.event'])
      expect(() => server.sql(deed.replace('%', both.schema))).toThrow('append-only');

    expect((await both.one.events({ limit: 10 })).map(({ seq }) => seq)).toEqual([2, 3]);
  });

  test('forgets a long past by several transactions, up to the newest event', async () => {
    await using both = await pair();
    await both.one.acquire('a', TTL, T0);
    server.sql(`INSERT INTO ${both.schema}.event
      SELECT n, n, 'rollout.stepped', 'dev/a', 'test', NULL, NULL, '{}' FROM generate_series(1, 25000) AS n`);

    expect(await both.one.forgetEvents(2, 1e9)).toBe(0);
    expect(await both.one.forgetEvents(1, 24_000)).toBe(23_999);
    expect(await both.one.forgetEvents(1, 1e9)).toBe(1000);
    expect((await both.one.events({ limit: 10 })).map(({ seq }) => seq)).toEqual([25_000]);
  });

  test('of a newer version is refused and left untouched', async () => {
    const addressFile = server.addressFile({ query: 'schema=newer' });
    await (await open(addressFile))[Symbol.asyncDispose]();
    server.sql('INSERT INTO newer.migration VALUES (99, 0)');

    await expect(open(addressFile)).rejects.toThrow(/has version 99, this controller knows up to 2.*upgrade/);
    expect(server.sql('SELECT MAX(version) FROM newer.migration')).toBe('99');
  });

  test('is refused where the schema is of another program', async () => {
    server.sql('CREATE SCHEMA theirs; CREATE TABLE theirs.things (id INTEGER)');

    await expect(open(server.addressFile({ query: 'schema=theirs' }))).rejects.toThrow(
      'belongs to another program',
    );
    expect(server.sql(`SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'theirs'`)).toBe('1');
  });

  const refusals: [string, Parameters<RealPostgres['addressFile']>[0], string, RegExp][] = [
    [
      'a wrong password',
      { password: 'hunter2' },
      '',
      /the password of switchback was refused; put the right one/,
    ],
    ['no password', { password: '' }, '', /the server asks switchback for a password; put it into the file/],
    ['an unknown user', { user: 'nobody_here' }, '', /nobody_here was refused|does not let nobody_here in/],
    ['an unknown database', { database: 'nowhere' }, '', /there is no database nowhere; create it: createdb/],
    [
      'no right to make the schema',
      { user: 'small', database: 'postgres', query: 'schema=mine' },
      `CREATE ROLE small LOGIN PASSWORD '${PASSWORD}'`,
      /small lacks a right; .*CREATE SCHEMA mine AUTHORIZATION "small"/,
    ],
    [
      'a server that only reads',
      { user: 'reader', database: 'postgres', query: 'schema=read_only' },
      `CREATE ROLE reader SUPERUSER LOGIN PASSWORD '${PASSWORD}'; ALTER ROLE reader SET default_transaction_read_only = on`,
      /that server only reads.*name the primary/,
    ],
    [
      'a database in another encoding',
      { database: 'latin' },
      `CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0`,
      /keeps its text in LATIN1; create one in UTF8/,
    ],
    [
      'TLS where the server has none',
      { query: 'sslmode=require' },
      '',
      /the server has no TLS; turn it on there/,
    ],
  ];
  test.each(refusals)('says what to do about %s, without a secret', async (_, given, before, words) => {
    if (before !== '') for (const statement of before.split('; ')) server.sql(statement);
    const lines: unknown[] = [];
    const keep = ((...said: unknown[]) => void lines.push(said)) as Log['info'];

    const refused = await open(server.addressFile(given), { info: keep, warn: keep }).catch(
      (error: unknown) => error,
    );

    expect(refused).toMatchObject({ code: 'E_LEDGER', message: expect.stringMatching(words) });
    expect(`${JSON.stringify(lines)} ${(refused as Error).message}`).not.toMatch(
      /hunter2|a secret\/of|a%20secret/,
    );
  });

  test('needs no more than a schema of its own', async () => {
    server.sql(`CREATE ROLE modest LOGIN PASSWORD '${PASSWORD}'`);
    server.sql('CREATE SCHEMA allotted AUTHORIZATION modest');
    await using ledger = await open(server.addressFile({ user: 'modest', query: 'schema=allotted' }));
    await ledger.acquire('a', TTL, T0);

    expect(await ledger.advance({ epoch: 1, at: 1, events: [EVENT] })).toMatchObject({ kind: 'advanced' });
    expect(await ledger.forgetEvents(1, HOUR)).toBe(0);
  });

  test('says that the disk is full, loses nothing of before, and goes on once there is room', async () => {
    await using both = await pair();
    await both.one.acquire('a', TTL, T0);
    const full = `CREATE FUNCTION ${both.schema}.full_disk() RETURNS TRIGGER LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON ${both.schema}.event EXECUTE FUNCTION ${both.schema}.full_disk()`;
    server.sql(full);

    const refused = both.one.advance({ epoch: 1, at: 1, events: [EVENT] });

    await expect(refused).rejects.toThrow(
      /could not write a step: the disk of the server is full; make room there/,
    );
    server.sql(`DROP TRIGGER full_disk ON ${both.schema}.event`);
    expect(await both.one.advance({ epoch: 1, at: 1, events: [EVENT] })).toMatchObject({
      events: [{ seq: 1 }],
    });
  });

  test('says that nobody is there, and gives up in time', async () => {
    const addressFile = server.addressFile({ port: 1 });
    let asked = 0;

    // The time is over once it was tried.
    const refused = open(addressFile, undefined, () => Math.max(0, asked++ - 1) * HOUR);

    await expect(refused).rejects.toThrow(
      /nothing answers there; start the server, or correct host and port/,
    );
  });

  test('takes the new password from its file when the server was told of one', async () => {
    server.sql(`CREATE ROLE turning SUPERUSER LOGIN PASSWORD 'first'`);
    const addressFile = server.addressFile({ user: 'turning', password: 'first' });
    await using ledger = await open(addressFile);
    server.sql(`ALTER ROLE turning PASSWORD 'second'`);
    const next = server.addressFile({ user: 'turning', password: 'second' });
    copyFileSync(next, addressFile);

    server.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'turning'`);

    expect(await ledger.acquire('a', TTL, T0)).toMatchObject({ kind: 'acquired' });
  });

  test('is reached through the Unix socket of the server, without a password', async () => {
    const query = `schema=by_socket&host=${encodeURIComponent(server.folder)}`;
    await using ledger = await open(server.addressFile({ password: '', query }));

    expect(await ledger.acquire('a', TTL, T0)).toMatchObject({ kind: 'acquired' });
  });
});
