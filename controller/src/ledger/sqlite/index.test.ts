import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '../../log.ts';
import { ledgerContract } from '../ledger.contract.ts';
import { sqliteLedger } from './index.ts';

const WRITER = fileURLToPath(new URL('./endless-writer.fixture.ts', import.meta.url));
const EVENT = { at: 1, type: 'rollout.stepped', subject: 'dev/a', actor: 'test', data: {} } as const;

let folder: string;
let files = 0;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchback-ledger-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await killed(child);
  rmSync(folder, { recursive: true, force: true });
});

ledgerContract('sqlite', () => sqliteLedger({ file: freshFile() }));

describe('sqlite file', () => {
  test('has everything again after it was closed and reopened', async () => {
    const file = freshFile();
    const first = sqliteLedger({ file });
    await first.acquire('a', 60_000, 0);
    await first.advance({ epoch: 1, at: 0, events: [EVENT], rollouts: new Map([['dev/a', { step: 2 }]]) });
    await first[Symbol.asyncDispose]();

    await using again = sqliteLedger({ file });

    expect(await again.events({ limit: 10 })).toEqual([{ ...EVENT, seq: 1 }]);
    expect((await again.read()).rollouts).toEqual(new Map([['dev/a', { step: 2 }]]));
    expect(await again.acquire('b', 60_000, 59_999)).toMatchObject({ kind: 'held', by: { holder: 'a' } });
  });

  test('has every acknowledged step after its writer was killed, three times over', async () => {
    const file = freshFile();

    for (const holder of ['a', 'a', 'a']) {
      const writer = endlessWriter(file, holder);
      const acknowledged = await lastLine(writer, 40);

      await using ledger = sqliteLedger({ file });
      const events = await ledger.events({ limit: 10_000 });
      const { rollouts } = await ledger.read();

      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(events.length).toBeGreaterThanOrEqual(acknowledged);
      expect(rollouts.get('dev/a')).toEqual(events.at(-1)?.data);
    }
  });

  test('is shared by two processes: a take-over fences the other in the middle of its writing', async () => {
    const file = freshFile();
    const writer = endlessWriter(file, 'a');
    await firstLines(writer, 5);
    await using ledger = sqliteLedger({ file });
    expect(await ledger.acquire('b', 60_000, Date.now())).toMatchObject({
      kind: 'held',
      by: { holder: 'a' },
    });

    const exited = once(writer, 'exit');
    const later = Date.now() + 120_000;
    const taken = await ledger.acquire('b', 60_000, later);
    const [code] = await exited;
    const written = await ledger.advance({ epoch: 2, at: later, events: [{ ...EVENT, actor: 'b' }] });

    expect(taken).toMatchObject({ kind: 'acquired', lease: { holder: 'b', epoch: 2 } });
    expect(code).toBe(3);
    const events = await ledger.events({ limit: 10_000 });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(written).toMatchObject({ kind: 'advanced', events: [{ seq: events.length, actor: 'b' }] });
  });

  test('may be created by several processes at once', async () => {
    const file = freshFile();
    const writers = ['a', 'b', 'c'].map(holder => endlessWriter(file, holder));

    const ends = await Promise.all(
      writers.map(async writer => ((await firstLines(writer, 1)) === 1 ? 'writes' : await ended(writer))),
    );

    expect(ends.toSorted()).toEqual([2, 2, 'writes']);
  });

  test('lets nobody change or remove an event', async () => {
    const file = freshFile();
    await using ledger = sqliteLedger({ file });
    await ledger.acquire('a', 60_000, 0);
    await ledger.advance({ epoch: 1, at: 0, events: [EVENT] });
    using db = new DatabaseSync(file);

    expect(() => db.exec(`UPDATE event SET actor = 'nobody'`)).toThrow('append-only');
    expect(() => db.exec('DELETE FROM event')).toThrow('append-only');
    expect(await ledger.events({ limit: 10 })).toHaveLength(1);
  });

  test('of an earlier schema is brought up to date with all that is in it', async () => {
    const file = freshFile();
    using db = new DatabaseSync(file);
    const script = (name: string): void =>
      db.exec(readFileSync(new URL(`../sql/${name}`, import.meta.url), 'utf8'));
    db.exec(
      'CREATE TABLE migration (version BIGINT NOT NULL PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)',
    );
    script('0001.sql');
    script('0001.sqlite.sql');
    db.exec('INSERT INTO migration (version, applied_at) VALUES (1, 0)');
    db.exec(`INSERT INTO event VALUES (1, 5, 'commit.seen', 'controller', 'controller', NULL, NULL, '{}')`);

    await using ledger = sqliteLedger({ file });

    expect(await ledger.events({ limit: 10 })).toMatchObject([{ seq: 1, at: 5 }]);
    await ledger.acquire('a', 60_000, 0);
    await ledger.advance({ epoch: 1, at: 9, events: [{ ...EVENT, at: 9 }] });
    expect(await ledger.forgetEvents(1, 6)).toBe(1);
    expect(() => db.exec('DELETE FROM event')).toThrow('append-only');
  });

  test('is refused when a newer version wrote it, and stays untouched', async () => {
    const file = freshFile();
    await sqliteLedger({ file })[Symbol.asyncDispose]();
    using db = new DatabaseSync(file);
    db.exec('INSERT INTO migration (version, applied_at) VALUES (99, 0)');

    expect(() => sqliteLedger({ file })).toThrow(/has schema 99, this controller knows up to 2.*upgrade/);
    expect(db.prepare('SELECT MAX(version) AS version FROM migration').get()).toEqual({ version: 99 });
  });

  test('is refused when it belongs to another program or is no database', () => {
    const [foreign, text] = [freshFile(), freshFile()];
    using db = new DatabaseSync(foreign);
    db.exec('CREATE TABLE theirs (id INTEGER)');
    writeFileSync(text, 'not a database, but long enough to be read as the header of one. '.repeat(20));

    expect(() => sqliteLedger({ file: foreign })).toThrow(/database of another program/);
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
    expect(() => sqliteLedger({ file: text })).toThrow(expect.objectContaining({ code: 'E_LEDGER' }));
  });

  test('says so when another program holds it for too long, and works again afterwards', async () => {
    const file = freshFile();
    await using ledger = sqliteLedger({ file });
    using db = new DatabaseSync(file);
    db.exec('BEGIN IMMEDIATE');

    await expect(ledger.acquire('a', 60_000, 0)).rejects.toThrow(/could not grant the lease .*locked/);
    db.exec('ROLLBACK');

    expect(await ledger.acquire('a', 60_000, 0)).toMatchObject({ kind: 'acquired' });
  });

  test('says which event was changed by hand instead of showing it', async () => {
    const file = freshFile();
    await using ledger = sqliteLedger({ file });
    using db = new DatabaseSync(file);
    db.exec(`INSERT INTO event VALUES (1, 1, 'made.up', 's', 'a', NULL, NULL, '{}')`);

    await expect(ledger.events({ limit: 1 })).rejects.toThrow(/event 1 is not as this version writes it/);
  });

  test('makes its folder, is readable by its owner alone, and tells the log of a new schema once', async () => {
    const file = join(folder, 'state', 'ledger.db');
    const lines: object[] = [];
    const info = (fields: object, message: string): void => void lines.push({ ...fields, message });
    const log = { info: info as Log['info'] };

    await sqliteLedger({ file, log })[Symbol.asyncDispose]();
    await sqliteLedger({ file, log })[Symbol.asyncDispose]();

    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(lines).toEqual([{ file, from: 0, to: 2, message: 'ledger schema brought up to date' }]);
  });
});

function freshFile(): string {
  return join(folder, `ledger-${++files}.db`);
}

function endlessWriter(file: string, holder: string): ChildProcess {
  const child = spawn(process.execPath, [WRITER, file, holder], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

/** How many there were, if the child ended sooner. */
async function firstLines(child: ChildProcess, count: number): Promise<number> {
  let seen = 0;
  for await (const _ of createInterface({ input: child.stdout! })) if (++seen >= count) break;
  child.stdout!.resume();
  return seen;
}

/** Kills the writer in full flight after so many lines; the last line it got out. */
async function lastLine(child: ChildProcess, count: number): Promise<number> {
  let seen = 0;
  let last = 0;
  for await (const line of createInterface({ input: child.stdout! })) {
    last = Number(line);
    if (++seen === count) child.kill('SIGKILL');
  }
  await ended(child);
  return last;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await ended(child);
}
