import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { messageOf, SwitchbackError } from '../../error.ts';
import type { Value } from '../sql/rows.ts';

/** How long a statement may wait for another process's transaction. It blocks this process, so it is short. */
const BUSY_MS = 2000;
const BUSY_LOOK_MS = 10;
const SQLITE_BUSY = 5;

/**
 * One open file: statements prepared once, transactions, and errors in our words. With WAL and a full sync, an
 * acknowledged transaction is on the disk, not only in the system's cache.
 */
export interface Database {
  all(sql: string, ...values: Value[]): Record<string, SQLOutputValue>[];
  get(sql: string, ...values: Value[]): Record<string, SQLOutputValue> | undefined;
  /** How many rows changed. */
  run(sql: string, ...values: Value[]): number;
  script(sql: string): void;
  /** Set once the file is known to be ours: the mode is written into the file. */
  makeDurable(): void;
  /** Takes the write lock first, so that what is read stays true until the end. */
  write<T>(verb: string, work: () => T, isKept?: (value: T) => boolean): T;
  /** One consistent view. */
  read<T>(verb: string, work: () => T): T;
  close(): void;
}

export function openDatabase(file: string): Database {
  const db = translated(file, 'be opened', () => openPrivately(file));
  const statements = new Map<string, StatementSync>();

  return {
    all: (sql, ...values) => prepared(sql).all(bound(values)),
    get: (sql, ...values) => prepared(sql).get(bound(values)),
    run: (sql, ...values) => Number(prepared(sql).run(bound(values)).changes),
    script: sql => db.exec(sql),
    makeDurable: () =>
      translated(file, 'be opened', () => {
        patiently(() => db.exec('PRAGMA journal_mode = WAL'));
        db.exec('PRAGMA synchronous = FULL');
      }),
    write: (verb, work, isKept) => translated(file, verb, () => transaction(db, 'IMMEDIATE', work, isKept)),
    read: (verb, work) => translated(file, verb, () => transaction(db, 'DEFERRED', work)),
    close: () => {
      statements.clear();
      if (db.isOpen) translated(file, 'be closed', () => db.close());
    },
  };

  function prepared(sql: string): StatementSync {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }
}

/** Readable by its owner alone. */
function openPrivately(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  return new DatabaseSync(file, { timeout: BUSY_MS });
}

/** SQLite waits for everybody but those who change the mode of the same file: these are told at once. */
function patiently(work: () => void): void {
  for (const until = performance.now() + BUSY_MS; ; ) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_LOOK_MS);
    }
  }
}

/** Its extended codes have the plain one in their lowest byte. */
function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && (errcode & 0xff) === SQLITE_BUSY;
}

function transaction<T>(db: DatabaseSync, mode: string, work: () => T, isKept = (_: T): boolean => true): T {
  db.exec(`BEGIN ${mode}`);
  try {
    const value = work();
    db.exec(isKept(value) ? 'COMMIT' : 'ROLLBACK');
    return value;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** `$1` is a name to SQLite, so values are bound by name. */
function bound(values: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value]));
}

function translated<T>(file: string, verb: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SwitchbackError) throw cause;
    const remedy = 'check that it is there, that its disk has room and that no other program holds it';
    const message = `ledger ${file} could not ${verb} (${messageOf(cause)}); ${remedy}`;
    throw new SwitchbackError('E_LEDGER', message, { details: { file }, cause });
  }
}
