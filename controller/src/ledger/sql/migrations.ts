import { readFileSync } from 'node:fs';

export type Dialect = 'sqlite' | 'postgres';

/** Forward only, in this order; a number once shipped never changes its text. */
const VERSIONS = [1, 2] as const;

export const NEWEST_SCHEMA = Math.max(...VERSIONS);

export const MIGRATION_TABLE =
  'CREATE TABLE migration (version BIGINT NOT NULL PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)';

/** Of each version after `from`, what to run: the common subset first, then what only this engine can say. */
export function* migrationsAfter(
  from: number,
  dialect: Dialect,
): Generator<{ version: number; scripts: readonly string[] }> {
  for (const version of VERSIONS) {
    if (version <= from) continue;
    const number = String(version).padStart(4, '0');
    yield { version, scripts: [`${number}.sql`, `${number}.${dialect}.sql`].map(textOf) };
  }
}

function textOf(name: string): string {
  return readFileSync(new URL(`./${name}`, import.meta.url), 'utf8');
}
