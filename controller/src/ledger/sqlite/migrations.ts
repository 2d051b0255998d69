import { SwitchbackError } from '../../error.ts';
import { MIGRATION_TABLE, migrationsAfter, NEWEST_SCHEMA } from '../sql/migrations.ts';
import type { Database } from './database.ts';

/** Throws for a file of another program or of a newer version, before anything in it is touched. */
export function refuseUnknown(db: Database, file: string): void {
  db.read('be read', () => schemaVersion(db, file));
}

/** Brings the file to the newest schema, all or nothing; the versions between which it went. */
export function migrate(db: Database, file: string, now: number): { from: number; to: number } {
  return db.write('be brought to the current schema', () => {
    const from = schemaVersion(db, file);
    if (from === 0) db.script(MIGRATION_TABLE);

    for (const { version, scripts } of migrationsAfter(from, 'sqlite')) {
      for (const script of scripts) db.script(script);
      db.run('INSERT INTO migration (version, applied_at) VALUES ($1, $2)', version, now);
    }
    return { from, to: NEWEST_SCHEMA };
  });
}

/** 0: nothing there yet. */
function schemaVersion(db: Database, file: string): number {
  const tables = db.all(`SELECT name FROM sqlite_master WHERE type = 'table'`).map(row => row['name']);
  if (tables.length === 0) return 0;
  if (!tables.includes('migration')) throw foreign(file);

  const version = Number(db.get('SELECT MAX(version) AS version FROM migration')?.['version']);
  if (version > NEWEST_SCHEMA) throw tooNew(file, version);
  return version;
}

function tooNew(file: string, version: number): SwitchbackError {
  const message = `ledger ${file} has schema ${version}, this controller knows up to ${NEWEST_SCHEMA}: it was written by a newer version; upgrade the controller, or name another file`;
  return new SwitchbackError('E_LEDGER', message, { details: { file, version, newest: NEWEST_SCHEMA } });
}

function foreign(file: string): SwitchbackError {
  const message = `ledger ${file} is the database of another program; name another file`;
  return new SwitchbackError('E_LEDGER', message, { details: { file } });
}
