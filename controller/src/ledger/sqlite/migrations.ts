import { readFileSync } from 'node:fs';
import { SwitchbackError } from '../../error.ts';
import type { Database } from './database.ts';

/** Forward only, in this order; a number once shipped never changes its text. */
const MIGRATIONS: readonly { version: number; files: readonly string[] }[] = [
  { version: 1, files: ['0001.sql', '0001.sqlite.sql'] },
  { version: 2, files: ['0002.sql', '0002.sqlite.sql'] },
];

const MIGRATION_TABLE =
  'CREATE TABLE migration (version BIGINT NOT NULL PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)';

const NEWEST = Math.max(...MIGRATIONS.map(({ version }) => version));

/** Throws for a file of another program or of a newer version, before anything in it is touched. */
export function refuseUnknown(db: Database, file: string): void {
  db.read('be read', () => schemaVersion(db, file));
}

/** Brings the file to the newest schema, all or nothing; the versions between which it went. */
export function migrate(db: Database, file: string, now: number): { from: number; to: number } {
  return db.write('be brought to the current schema', () => {
    const from = schemaVersion(db, file);
    if (from === 0) db.script(MIGRATION_TABLE);

    for (const { version, files } of MIGRATIONS) {
      if (version <= from) continue;
      for (const name of files) db.script(readFileSync(new URL(`../sql/${name}`, import.meta.url), 'utf8'));
      db.run('INSERT INTO migration (version, applied_at) VALUES ($1, $2)', version, now);
    }
    return { from, to: NEWEST };
  });
}

/** 0: nothing there yet. */
function schemaVersion(db: Database, file: string): number {
  const tables = db.all(`SELECT name FROM sqlite_master WHERE type = 'table'`).map(row => row['name']);
  if (tables.length === 0) return 0;
  if (!tables.includes('migration')) throw foreign(file);

  const version = Number(db.get('SELECT MAX(version) AS version FROM migration')?.['version']);
  if (version > NEWEST) throw tooNew(file, version);
  return version;
}

function tooNew(file: string, version: number): SwitchbackError {
  const message = `ledger ${file} has schema ${version}, this controller knows up to ${NEWEST}: it was written by a newer version; upgrade the controller, or name another file`;
  return new SwitchbackError('E_LEDGER', message, { details: { file, version, newest: NEWEST } });
}

function foreign(file: string): SwitchbackError {
  const message = `ledger ${file} is the database of another program; name another file`;
  return new SwitchbackError('E_LEDGER', message, { details: { file } });
}
