import { SwitchbackError } from '../../error.ts';
import { MIGRATION_TABLE, migrationsAfter, NEWEST_SCHEMA } from '../sql/migrations.ts';
import type { Session, Talk } from './session.ts';

/** Of PostgreSQL: doubles that are read as they were written, and the grammar of our triggers. */
const OLDEST_SERVER = 12;
/** A first start may meet others at theirs. */
const PATIENCE_MS = 30_000;

/**
 * Brings the schema to the newest version, each version in a transaction of its own, one controller at a time; the
 * versions between which it went. Throws E_LEDGER for a schema of another program or of a newer version, untouched.
 */
export async function migrate(session: Session, schema: string): Promise<{ from: number; to: number }> {
  let from: number | null = null;
  for (;;) {
    const at = await session.do({
      verb: 'be brought to the current schema',
      kind: 'write',
      patienceMs: PATIENCE_MS,
      work: talk => migrateOnce(talk, schema),
    });
    from ??= at;
    if (at === NEWEST_SCHEMA) return { from, to: at };
  }
}

/** The version that was found; if it was not the newest, the next one is there afterwards. */
async function migrateOnce(talk: Talk, schema: string): Promise<number> {
  await talk.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', `switchback ledger ${schema}`);
  const at = await schemaVersion(talk, schema);
  const [next] = migrationsAfter(at, 'postgres');
  if (next === undefined) return at;

  if (at === 0) await talk.script(MIGRATION_TABLE);
  for (const script of next.scripts) await talk.script(script);
  await talk.query('INSERT INTO migration (version, applied_at) VALUES ($1, lease_clock())', next.version);
  return at;
}

/** 0: nothing there yet; the schema itself is then made. */
async function schemaVersion(talk: Talk, schema: string): Promise<number> {
  const { rows } = await talk.query(FOUND, schema);
  const found = rows[0];
  refuseUnfit(found);
  if (found?.['there'] !== true) await talk.script(`CREATE SCHEMA "${schema}"`);
  const tables = Number(found?.['tables']);
  if (tables === 0) return 0;
  if (found?.['migrated'] !== true) throw foreign(schema);

  const version = Number(
    (await talk.query('SELECT MAX(version) AS version FROM migration')).rows[0]?.['version'],
  );
  if (version > NEWEST_SCHEMA) throw tooNew(schema, version);
  return version;
}

const FOUND = `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS there,
  (SELECT COUNT(*) FROM pg_tables WHERE schemaname = $1) AS tables,
  EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'migration') AS migrated,
  current_setting('server_version_num')::INTEGER / 10000 AS server,
  current_setting('server_encoding') AS encoding`;

function refuseUnfit(found: Record<string, unknown> | undefined): void {
  if (Number(found?.['server']) < OLDEST_SERVER)
    throw refused(`the server is PostgreSQL ${found?.['server']}`, `it takes ${OLDEST_SERVER} or newer`);
  if (found?.['encoding'] !== 'UTF8')
    throw refused(
      `the database keeps its text in ${found?.['encoding']}`,
      'create one in UTF8: createdb --encoding UTF8 --template template0 <name>',
    );
}

function tooNew(schema: string, version: number): SwitchbackError {
  return refused(
    `schema ${schema} has version ${version}, this controller knows up to ${NEWEST_SCHEMA}: it was written by a newer version`,
    'upgrade the controller, or name another schema',
    { schema, version, newest: NEWEST_SCHEMA },
  );
}

function foreign(schema: string): SwitchbackError {
  return refused(
    `schema ${schema} belongs to another program`,
    'name another one by ?schema=<name> in the address',
    { schema },
  );
}

function refused(what: string, remedy: string, details: Record<string, unknown> = {}): SwitchbackError {
  return new SwitchbackError('E_LEDGER', `the ledger in PostgreSQL can not be used: ${what}; ${remedy}`, {
    details,
  });
}
